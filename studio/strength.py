"""Strength, 0 to 100: a path of beta along which a picture changes evenly, by what was measured on six pairs."""

import numpy as np

PATH = {0: 0.0, 10: 0.01, 20: 0.1, 30: 0.6, 40: 3.0, 50: 18.0, 60: 40.0, 70: 80.0, 80: 160.0, 90: 400.0, 100: 1000.0}


def factor(strength):
    """beta at that strength over beta at 50. strength: 0, where nothing is left of the style, to 100."""
    strengths, betas = np.array(list(PATH)), np.array(list(PATH.values())) / PATH[50]
    return float(np.interp(strength, strengths, betas))
