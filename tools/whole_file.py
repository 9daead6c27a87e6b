"""A file that appears whole or not at all, whatever interrupts the writing."""


def write_whole(path, data):
    """Write bytes to a pathlib.Path, under a temporary name first. A missing folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)  # after a success there is none left
