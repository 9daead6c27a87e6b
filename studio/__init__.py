"""Beyond the course: faster, larger, and from file to file, built on nst_utils."""

from studio.painting import Painting, paint

__all__ = ["Painting", "paint"]
