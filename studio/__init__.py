"""Beyond the course: faster, larger, and from file to file, built on nst_utils."""

__all__ = ["Painting", "paint"]


def __getattr__(name):  # loaded when asked for: the command `nst` begins here, and Ctrl-C must not wait for libraries
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from studio import painting

    return getattr(painting, name)
