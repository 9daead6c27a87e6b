"""Notebook 04's controls: pictures to pick, the lab, the full-size run. What they show is computed elsewhere.

Where nobody can press a button, as when a notebook is executed from a terminal, each shows a still instead. Works
with ipywidgets 7.7.1, which Colab has, and 8.
"""

import functools
import math
import sys
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor

import ipywidgets
from IPython.display import display

import nst_utils as nst
from nst_support import figures
from nst_support.pictures import load_image
from studio import full_run, markup
from studio.choices import uploaded
from studio.full_run import FullRun
from studio.interrupts import on_interrupt
from studio.lab import SIDE, Lab, Preview
from studio.optimise import found_network

THUMB = 96  # px
SCALES = (0.5, 2.0)  # of the strokes
SIZES = (400, 600, 800, 1200)  # px
STILL = 40  # evaluations of the lab's still, and of a small run
SMALL = 240  # px
EVERY = 5  # evaluations between two pictures of the full run
NOTHING = ""  # None would leave a dropdown blank
COLOURS = [("the painting's", NOTHING), ("the photograph's", "palette"), ("the photograph's, exactly", "brightness")]
WIDE = ipywidgets.Layout(width="96%", max_width="460px")
LABEL = {"description_width": "120px"}


def is_live():
    """Is there somebody to press a button? Only front ends for people take input from them."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))


def described(kind, description, tip, **options):
    """A widget with a label and a tooltip, which ipywidgets 7 calls otherwise for most kinds."""
    made = kind(description=description, **options)
    made.set_trait("tooltip" if made.has_trait("tooltip") else "description_tooltip", tip)
    return made


class Shown:
    """Something that a cell shows: its widgets, made only now, or a still."""

    def _ipython_display_(self):
        if is_live():
            display(self.widgets())
        else:
            self.still()


class Picker(Shown):
    """Two shelves of thumbnails, C and S, with an upload to each."""

    def __init__(self, choices):
        self.choices = choices

    def still(self):
        for kind, symbol in (("content", "C"), ("style", "S")):
            paths = self.choices.pictures[kind]
            figures.show_grid({f"{symbol}: {path.stem}": load_image(path, 2 * THUMB) for path in paths}, columns=6)

    def widgets(self):
        shelves = [Shelf(self.choices, "content", "C, the photograph"), Shelf(self.choices, "style", "S, the painting")]
        return ipywidgets.VBox([shelf.box for shelf in shelves])


class Shelf:
    """Thumbnails of all pictures of a kind, of which one is chosen, and an upload."""

    def __init__(self, choices, kind, title):
        self.choices, self.kind, self.buttons = choices, kind, {}
        self.upload = described(
            ipywidgets.FileUpload, f"Bring your own {kind[0].upper() if kind == 'content' else 'S'}",
            "A picture file of yours: JPEG, PNG, WebP, TIFF, GIF or BMP", accept="image/*", multiple=False,
            layout=ipywidgets.Layout(width="auto"),
        )  # fmt: skip
        self.said = ipywidgets.HTML()
        self.thumbs = ipywidgets.Box(layout=ipywidgets.Layout(flex_flow="row wrap", width="100%"))
        head = ipywidgets.HBox([ipywidgets.HTML(f"<b>{title}</b>"), self.upload, self.said])
        head.layout.align_items, head.layout.flex_flow = "center", "row wrap"
        self.box = ipywidgets.VBox([head, self.thumbs])
        self.upload.observe(self._bring, "value")
        choices.observe(self._fill, "pictures")
        choices.observe(self._mark, kind)
        self._fill()

    def _fill(self, _=None):
        for path in self.choices.pictures[self.kind]:
            if path not in self.buttons:
                self.buttons[path] = self._thumb(path)
        self.thumbs.children = [self.buttons[path][0] for path in self.choices.pictures[self.kind]]
        self._mark()

    def _thumb(self, path):
        name = path.stem.replace("_", " ")
        shown = ipywidgets.HTML(markup.picture(load_image(path, THUMB), f"Thumbnail of {name}"))
        shown.layout.width = f"{THUMB}px"
        button = ipywidgets.Button(description=name, tooltip=f"Take {name} as {self._symbol}")
        button.layout.width = f"{THUMB + 24}px"
        button.on_click(lambda _: self.choices.set_trait(self.kind, path))
        layout = ipywidgets.Layout(align_items="center", justify_content="flex-end", margin="2px")
        return ipywidgets.VBox([shown, button], layout=layout), button

    @property
    def _symbol(self):
        return "C" if self.kind == "content" else "S"

    def _mark(self, _=None):
        chosen = getattr(self.choices, self.kind)
        for path, (_, button) in self.buttons.items():
            button.button_style = "info" if path == chosen else ""
            button.icon = "check" if path == chosen else ""

    def _bring(self, change):
        for name, data in uploaded(change["new"]):
            try:
                self.choices.bring(name, data, self.kind)
                self.said.value = ""
            except (OSError, ValueError) as error:
                self.said.value = markup.sentence(error)


class LabPanel(Shown):
    """C, S and G side by side, controls, and a curve of J: G follows every change while one looks."""

    def __init__(self, choices, side=None):
        self.choices, self.side = choices, side or min(SIDE, nst.find_preset().long_side)
        self.lab = None

    def still(self):
        shown = []
        self._start(shown.append, most=min(STILL, nst.find_preset().steps))
        self.lab.wait()
        self.lab.end()
        last = shown[-1]
        if not isinstance(last, Preview):
            raise RuntimeError(last.text)
        settings = self.choices.settings
        text = f"strength {settings['strength']}, strokes x {settings['style_scale']:g}, colours: the painting's"
        figures.show_lab(self._images() | {"G": last.image}, last.costs, text)

    def widgets(self):
        self.C, self.S, self.G = (ipywidgets.HTML(layout=ipywidgets.Layout(**LAYOUT[name])) for name in "CSG")
        self.curve, self.said = ipywidgets.HTML(layout=WIDE), ipywidgets.HTML("Starting ...")
        pictures = ipywidgets.Box([self.C, self.S, self.G])
        pictures.layout.flex_flow, pictures.layout.width = "row wrap", "100%"
        halves = [ipywidgets.VBox(self._controls()), ipywidgets.VBox([self.said, self.curve])]
        for half in halves:
            half.layout = ipywidgets.Layout(width="48%", min_width="300px", overflow="hidden")
        below = ipywidgets.Box(halves)
        below.layout.flex_flow, below.layout.width = "row wrap", "100%"
        self._show_inputs()
        self._start(self._show)
        self.choices.observe(self._changed, list(TRAITS))
        return ipywidgets.VBox([pictures, below])

    # ------------------------------------------------------------------------------------ controls

    def _controls(self):
        choices, options = self.choices, {"style": LABEL, "layout": WIDE}
        self.strength = described(
            ipywidgets.IntSlider, "strength", "Of the style: 0 is the photograph", min=0, max=100,
            value=choices.strength, **options,
        )  # fmt: skip
        self.strokes = described(
            ipywidgets.FloatSlider, "size of strokes", "How large the painting is seen", min=SCALES[0], max=SCALES[1],
            step=0.1, value=choices.style_scale, readout_format=".1f", **options,
        )  # fmt: skip
        self.colours = described(
            ipywidgets.Dropdown, "colours", "Whose colours G has", options=COLOURS,
            value=choices.preserve_colors or NOTHING, **options,
        )  # fmt: skip
        self.second = described(
            ipywidgets.Dropdown, "second style", "Mixed with S", options=self._seconds(),
            value=choices.second or NOTHING, **options,
        )  # fmt: skip
        self.share = described(
            ipywidgets.IntSlider, "its share, %", "Of the second style", min=0, max=100, value=choices.share,
            disabled=choices.second is None, **options,
        )  # fmt: skip
        for trait in ("strength", "preserve_colors", "second", "share", "style_scale"):
            control = getattr(self, CONTROLS[trait])
            control.observe(functools.partial(self._choose, trait), "value")
        choices.observe(self._offer, "pictures")
        named = ipywidgets.HTML(markup.naming_sliders(3))
        return [self.strength, self.strokes, self.colours, self.second, self.share, named]

    def _choose(self, trait, change):
        self.choices.set_trait(trait, None if change["new"] in (NOTHING, None) else change["new"])

    def _seconds(self):
        return [("none", NOTHING), *((path.stem.replace("_", " "), path) for path in self.choices.pictures["style"])]

    def _offer(self, _):
        chosen = self.second.value
        with self.second.hold_trait_notifications():
            self.second.options, self.second.value = self._seconds(), chosen

    # ------------------------------------------------------------------------------------ the lab behind

    def _images(self):
        return {"C": self._loaded(self.choices.content), "S": self._loaded(self.choices.style)}

    def _loaded(self, path, scale=1):
        return load_image(path, round(scale * self.side))

    def _start(self, watch, **options):
        self.lab = Lab(watch, found_network(), **options)
        self._tell({*TRAITS})

    def _changed(self, change):
        if not self.lab.alive:
            self._start(self._show)
        if change["name"] in ("content", "style"):
            self._show_inputs()
        if change["name"] == "second":
            self.share.disabled = change["new"] is None
        self._tell({change["name"]})

    def _tell(self, names):
        """Tell the lab what is wanted now."""
        pictures = {}
        if "content" in names:
            pictures["C"] = self._loaded(self.choices.content)
        if names & {"style", "second", "share"}:
            pictures["styles"] = [self._loaded(path, SCALES[1]) for path in self.choices.styles]
        self.lab.change(**pictures, **self.choices.settings)

    def _show_inputs(self):
        for name, path in (("C", self.choices.content), ("S", self.choices.style)):
            text = path.stem.replace("_", " ")
            getattr(self, name).value = markup.picture(self._loaded(path), f"{name}: {text}", f"{name}: {text}")

    def _show(self, shown):
        if not isinstance(shown, Preview):
            self.said.value = markup.sentence(shown.text)
            return
        data = {"change": shown.change, "evaluations": shown.evaluations, "strength": shown.settings.strength}
        self.G.value = markup.picture(shown.image, "G: the picture in the making", "G", **data)
        self.curve.value = markup.curve(shown.costs)
        now = "resting until the next change" if shown.resting else "improving"
        self.said.value = f"{shown.evaluations} evaluations since the newest change, {now}."


_background = ThreadPoolExecutor(1, "pictures")  # a kernel busy with a cell hears of no slider
_wanted = weakref.WeakSet()  # events, each of a picture, set when nobody wants it any more


def later(records):
    """The promise of the last image of some `nst.Record`s, which are made in the background, one call after the other.

    An interrupt of the kernel ends all that are promised.
    """
    unwanted = threading.Event()
    _wanted.add(unwanted)
    on_interrupt(_want_none)
    return _background.submit(_last_image, records, unwanted)


def _last_image(records, unwanted):
    newest = None
    while not unwanted.is_set():
        record = next(records, None)
        if record is None:
            return newest.image
        newest = record
    raise RuntimeError("stopped by hand.")


def _want_none():
    for unwanted in list(_wanted):
        unwanted.set()


class Pictures(Shown):
    """Pictures under their captions, {caption: image or `later`'s promise of one}; each appears when it is made."""

    def __init__(self, pictures):
        self.pictures = pictures

    def still(self):
        figures.show_grid({caption: self._made(image) for caption, image in self.pictures.items()})

    @staticmethod
    def _made(image):
        return image.result() if isinstance(image, Future) else image

    def widgets(self):
        layout = {"width": "32%", "min_width": "220px", "margin": "0 4px 8px 0"}
        places = [ipywidgets.HTML(f"{caption}: soon", layout=layout) for caption in self.pictures]
        for place, (caption, image) in zip(places, self.pictures.items(), strict=True):
            show = functools.partial(self._show, place, caption)
            image.add_done_callback(show) if isinstance(image, Future) else show(image)
        return ipywidgets.Box(places, layout=ipywidgets.Layout(flex_flow="row wrap", width="100%"))

    def _show(self, place, caption, image):
        try:
            place.value = markup.picture(self._made(image), caption, caption)
        except Exception as error:  # whatever it is: in a thread nobody else would hear of it
            place.value = markup.sentence(f"{caption}: {error}")


TRAITS = ("content", "style", "second", "share", "strength", "style_scale", "preserve_colors")
CONTROLS = {"strength": "strength", "style_scale": "strokes", "preserve_colors": "colours", "second": "second",
            "share": "share"}  # fmt: skip
LAYOUT = {
    "C": {"width": "24%", "min_width": "150px", "margin": "0 8px 0 0"},
    "S": {"width": "24%", "min_width": "150px", "margin": "0 8px 0 0"},
    "G": {"width": "46%", "min_width": "260px"},
}


class FullRunPanel(Shown):
    """The picture in its full size: start, stop, the picture so far, its curve and the time left."""

    def __init__(self, choices, output, size=600):
        self.choices, self.output, self.size, self.run = choices, output, size, None
        self.start = None  # the button, where there is somebody to press it

    def finished(self):
        """The `FullRun`, at its end: the one that was started is waited for; where none was, it is made now.

        Where somebody may press Start, it is made small, for the kernel hears of nothing meanwhile.
        """
        if self.run is None:
            self._begin(*([SMALL, STILL] if self.start else []))
        try:
            self.run.wait()
        finally:
            if Lab.newest is not None:
                Lab.newest.resume()
        return self.run

    def still(self):
        run = self.finished()
        pictures = {"C": load_image(self.choices.content, self.size), "G": run.best.image}
        figures.show_lab(pictures, run.costs, f"{run.best.image.shape[2]} px, {run.costs[-1][0]} evaluations")

    def widgets(self):
        sizes = sorted({*SIZES, self.size})
        options = {"options": [(f"{n} px", n) for n in sizes], "value": self.size, "style": LABEL, "layout": WIDE}
        self.sizes = described(ipywidgets.Dropdown, "longer side", "The photograph is never enlarged", **options)
        self.start = ipywidgets.Button(description="Start", tooltip="Paint with the lab's settings", icon="play")
        self.stop = ipywidgets.Button(description="Stop", tooltip="End now, and keep the best", icon="stop")
        self.stop.disabled = True
        self.progress = ipywidgets.FloatProgress(description="done", max=1, style=LABEL, layout=WIDE)
        self.said, self.curve, self.G = (ipywidgets.HTML() for _ in range(3))
        self.G.layout = ipywidgets.Layout(width="60%", min_width="280px")
        self.curve.layout = ipywidgets.Layout(width="36%", min_width="260px")
        self.start.on_click(lambda _: self._start())
        self.stop.on_click(lambda _: self.run.stop())
        self.sizes.observe(lambda change: setattr(self, "size", change["new"]), "value")
        shown = ipywidgets.Box([self.G, self.curve], layout=ipywidgets.Layout(flex_flow="row wrap", width="100%"))
        buttons = ipywidgets.HBox([self.start, self.stop])
        return ipywidgets.VBox([self.sizes, buttons, self.progress, self.said, shown])

    def _begin(self, most_px=math.inf, most=math.inf):
        settings = {"size": min(self.size, most_px), "every": EVERY, **self._evaluations(most)}
        painting = self.choices.painting(self.output, **settings)
        self.run = FullRun(painting, found_network(), self._show if self.start else lambda run: None)
        if Lab.newest is not None:
            Lab.newest.pause()
        if self.start:
            self.start.disabled, self.stop.disabled = True, False
            self.progress.value, self.G.value, self.curve.value = 0, "", ""
            self.said.value = "Starting ..."
        self.run.start()

    def _evaluations(self, most):
        steps = min(nst.find_preset().steps, most)
        return {} if steps >= 100 else {"evaluations": steps}  # a preset for trying out is quick

    def _start(self):
        try:
            self._begin()
        except (OSError, ValueError, MemoryError) as error:
            self.said.value = markup.sentence(error)

    def _show(self, run):
        self.progress.value = run.share
        if run.best is not None:  # before it there is only the start: the photograph under noise
            data = {"evaluations": run.costs[-1][0]}
            self.G.value = markup.picture(run.image, "G in full size, in the making", **data)
            self.curve.value = markup.curve(run.costs)
        self.said.value = _said(run)
        if run.state != full_run.PAINTING:
            self.start.disabled, self.stop.disabled = False, True
            if run.best is not None:
                alt = "G in full size, the best picture of the run"
                self.G.value = markup.picture(run.best.image, alt, evaluations=run.best.step)
            if Lab.newest is not None:
                Lab.newest.resume()


def _said(run):
    """How a run is getting on, in a sentence."""
    if run.state == full_run.FAILED:
        return markup.sentence(run.trouble)
    if run.state != full_run.PAINTING:
        how = "Stopped" if run.state == full_run.STOPPED else "Done"
        return markup.sentence(f"{how}. The best picture is in {run.painting.output}." if run.best else f"{how}.")
    left = run.seconds_left
    return "Starting ..." if left is None else f"About {left:.0f} s left. Stop whenever you like it: the best is kept."
