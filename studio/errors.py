"""What went wrong, in one line for people."""

EXPECTED = (OSError, ValueError, MemoryError, ArithmeticError)  # of files, settings and pictures, not of the program


def is_expected(error):
    return isinstance(error, EXPECTED) or _is_of_tensorflows_memory(error)


def _is_of_tensorflows_memory(error):
    return type(error).__name__ == "ResourceExhaustedError"  # by name, because TensorFlow is loaded late


def in_one_line(error):
    """The message of an exception; the system's own are completed by the file and what to do."""
    if _is_of_tensorflows_memory(error) or (isinstance(error, MemoryError) and not str(error)):
        return "out of memory. Take a smaller --size, or close other programs."
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror.lower()}. Check the path, and that you may use it."
    return " ".join(text.split())
