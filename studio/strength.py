"""Strength, 0 to 100: a path of beta along which the picture changes evenly.

Measured on six pairs at 400 px: between neighbouring tens the pictures differ by 0.09 to 0.14 (root mean square of
values in [0, 1], mean of the pairs), 50 being the default.
"""

import numpy as np

PATH = {0: 0.0, 10: 0.03, 20: 0.3, 30: 1.0, 40: 4.0, 50: 18.0, 60: 36.0, 70: 72.0, 80: 150.0, 90: 300.0, 100: 1500.0}


def factor(strength):
    """beta at that strength over beta at 50. strength: 0, where nothing is asked of the style, to 100."""
    strengths, betas = np.array(list(PATH)), np.array(list(PATH.values())) / PATH[50]
    if strength < strengths[1]:
        return float(np.interp(strength, strengths, betas))
    return float(np.exp(np.interp(strength, strengths[1:], np.log(betas[1:]))))
