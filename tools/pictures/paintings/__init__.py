"""The style pictures that are painted stroke by stroke, or printed from carved shapes."""
