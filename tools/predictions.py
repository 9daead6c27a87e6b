"""What answers a *Predict first*, which is folded until the reader has predicted: in student copies and on the site."""

PREDICTION, CONCLUSION = "*Predict first*", "**So**"
SHOWN, SAID = "After your prediction: what came out here", "So"  # what stands on the folds


def answers(cells):
    """For each cell: does what it shows, or says, answer a prediction?

    Answers are the outputs of all code up to the next text. A text that begins with **So** is one as well, and
    does not end them.
    """
    predicted = False
    for cell in cells:
        concludes = cell.cell_type == "markdown" and cell.source.startswith(CONCLUSION)
        if cell.cell_type == "markdown" and not concludes:
            predicted = PREDICTION in cell.source
            yield False
        else:
            yield predicted


def mark_answers(notebook):
    """Give every cell that answers a prediction the words on its fold, as metadata that `PageExporter` reads."""
    for cell, is_answer in zip(notebook.cells, answers(notebook.cells), strict=True):
        if is_answer:
            cell.metadata["fold"] = SAID if cell.cell_type == "markdown" else SHOWN
