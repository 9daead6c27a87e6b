"""What if? Sliders over pictures that a lesson makes at once, and a still of them where nobody can move one."""

import functools

import ipywidgets
import numpy as np

from nst_support import figures
from studio import markup
from studio.widgets import LABEL, WIDE, Shown, described

WIDTH = 360  # px, to which small pictures are enlarged


class WhatIf(Shown):
    """A picture that follows one slider for each choice.

    show: called with a value of each choice, by name; returns (caption, image (1, n_H, n_W, 3)). choices: {name: its
    values}, or {name: function of all choices before it, by name, that returns them}. The still is a grid: the first
    choice takes each of its values, all others their first.
    """

    def __init__(self, show, **choices):
        self.show, self.choices = show, choices

    def _values(self, name, chosen):
        values = self.choices[name]
        return list(values(**chosen) if callable(values) else values)

    def _completed(self, chosen):
        """The choices made so far, and the first value of each that is still open."""
        for name in self.choices:
            chosen = chosen if name in chosen else chosen | {name: self._values(name, chosen)[0]}
        return chosen

    def still(self):
        first = next(iter(self.choices))
        pairs = [self.show(**self._completed({first: value})) for value in self._values(first, {})]
        figures.show_grid(pairs)

    def widgets(self):
        self.sliders, self.page = {}, ipywidgets.HTML(layout=ipywidgets.Layout(width="96%", max_width="640px"))
        for name in self.choices:
            options = {"options": self._values(name, self._chosen()), "style": LABEL, "layout": WIDE}
            self.sliders[name] = described(ipywidgets.SelectionSlider, name, f"Another {name}", **options)
        for name, slider in self.sliders.items():
            slider.observe(functools.partial(self._moved, name), "value")
        self._draw()
        return ipywidgets.VBox([*self.sliders.values(), self.page])

    def _chosen(self):
        return {name: slider.value for name, slider in self.sliders.items()}

    def _moved(self, moved, _):
        """A later choice may depend on this one; where it has other values now, it goes back to its first."""
        names = list(self.choices)
        for later in names[names.index(moved) + 1 :]:
            before = {name: self.sliders[name].value for name in names[: names.index(later)]}
            values = self._values(later, before)
            if list(self.sliders[later].options) != values:
                self.sliders[later].options = values
        self._draw()

    def _draw(self):
        caption, image = self.show(**self._chosen())
        self.page.value = markup.picture(enlarged(image), caption, caption)


def enlarged(image):
    """A small image with every pixel as a square, so that it is at least `WIDTH` px wide; others as they are."""
    factor = -(-WIDTH // image.shape[2])
    return np.repeat(np.repeat(image, factor, axis=1), factor, axis=2)
