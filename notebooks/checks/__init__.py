"""Checks for the exercises of the notebooks: is a function right, and if not, which mistake is it?

A module for each lesson; `from notebooks import checks` gives those of lesson 1.
"""

from notebooks.checks.lesson1 import (
    check_all,
    check_compute_content_cost,
    check_compute_layer_style_cost,
    check_compute_style_cost,
    check_gram_matrix,
    check_total_cost,
    check_train_step,
    check_unroll,
)

__all__ = [
    "check_all",
    "check_compute_content_cost",
    "check_compute_layer_style_cost",
    "check_compute_style_cost",
    "check_gram_matrix",
    "check_total_cost",
    "check_train_step",
    "check_unroll",
]
