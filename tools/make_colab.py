#!/usr/bin/env python3
"""One zip with everything that the notebooks need, for Colab or any empty folder.

    python tools/make_colab.py

Writes outputs/neural-style-transfer.zip; the same files give the same bytes. The first cell of
every notebook unpacks it from its PROJECT_ZIP.
"""

import io
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from nst_support.whole_file import write_whole

PROJECT = Path(__file__).resolve().parent.parent
ZIP = Path("outputs") / "neural-style-transfer.zip"
CONTENTS = (
    "LICENSE",
    "nst_utils.py",
    "nst_support/*.py",
    "studio/*.py",
    "notebooks/*.ipynb",
    "notebooks/checks/*.py",
    "notebooks/exercises/*.ipynb",
    "images/SOURCES.md",
    "images/*/*.jpg",
    "pretrained-model/README.md",
    "pretrained-model/vgg19-slim.npz",
)


def contents(project):
    """The files that match `CONTENTS`, sorted. Raises FileNotFoundError where there is none."""
    found = {pattern: list(project.glob(pattern)) for pattern in CONTENTS}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise FileNotFoundError(f"{project}: no {', '.join(missing)} there. Get a fresh copy of the project.")
    return sorted(path for paths in found.values() for path in paths)


def zipped(project):
    """The project as the bytes of a zip, without the times and rights that differ between machines."""
    data = io.BytesIO()
    with ZipFile(data, "w") as archive:
        for path in contents(project):
            archive.writestr(ZipInfo(path.relative_to(project).as_posix()), path.read_bytes(), ZIP_DEFLATED)
    return data.getvalue()


def main():
    try:
        data = zipped(PROJECT)
        write_whole(PROJECT / ZIP, data)
    except OSError as error:
        sys.exit(f"{ZIP}: not written. {error}")
    print(f"{ZIP}  ({len(data) / 1e6:.1f} MB). In Colab, upload it; PROJECT_ZIP in the first cell is {ZIP.name!r}.")


if __name__ == "__main__":
    main()
