"""Beyond the course: faster and larger, built on nst_utils."""
