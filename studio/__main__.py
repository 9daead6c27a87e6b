"""`nst`, or `python -m studio`: pictures in, a picture out, from the command line."""

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
import time
import traceback

from nst_support.pictures import as_path, picture_size, save_image
from nst_support.weight_files import DownloadError
from studio import arguments, batch, precheck, recipe, timelapse
from studio.estimate import in_words as in_words_of_time
from studio.memory import in_words
from studio.painting import Canvas, network_of

FAILED, BAD_INPUT, STOPPED, TERMINATED = 1, 2, 130, 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM, after which the picture so far is kept as after Ctrl-C."""


class _Failed(Exception):
    """What went wrong after the work had begun."""


def main(argv=None):
    """Run a command line, and return its exit code: 0, 1 a failure on the way, 2 bad input, 130 Ctrl-C, 143 SIGTERM."""
    argv = sys.argv[1:] if argv is None else list(argv)
    with _patient_streams(), _signals({signal.SIGTERM: _terminate}):
        try:
            return _command(argv)
        except SystemExit as end:  # --help, --version
            return end.code or 0
        except KeyboardInterrupt as stop:
            _say(str(stop) or "Stopped before there was a picture.")
            return TERMINATED if isinstance(stop, _Terminated) or isinstance(stop.__context__, _Terminated) else STOPPED
        except Exception as error:
            if "--debug" in argv:
                traceback.print_exc()
            return _explained(error)


def _explained(error):
    """Say in one line what is wrong, and return the exit code."""
    line = " ".join(str(error).split())
    if isinstance(error, _Failed):
        _say(f"nst: {line}")
        return FAILED
    if isinstance(error, ValueError | OSError | MemoryError | FloatingPointError | DownloadError):
        _say(f"nst: {line}")
        return BAD_INPUT
    _say(f"nst: a fault of the program, {type(error).__name__}: {line}. Run it with --debug and report what it shows.")
    return FAILED


def _say(line):
    print(line, file=sys.stderr)


def _terminate(*_):
    raise _Terminated("Stopped from outside.")


@contextlib.contextmanager
def _signals(handlers):
    """Handle signals so within the block; elsewhere than in the main thread nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _abrupt(number, _):
    """While libraries load there is nothing to keep, and an exception inside them would show their insides."""
    os.write(2, b"\nStopped before there was a picture.\n")
    os._exit(STOPPED if number == signal.SIGINT else TERMINATED)


@contextlib.contextmanager
def _loading():
    with _signals({signal.SIGINT: _abrupt, signal.SIGTERM: _abrupt}):
        yield


class _Patient:
    """A stream whose reader may go away (`nst ... | head`) without an end to the work."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        with self._patience():
            return self._stream.write(text)

    def flush(self):
        with self._patience():
            self._stream.flush()

    @contextlib.contextmanager
    def _patience(self):
        try:
            yield
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def _patient_streams():
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_Patient, before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout, sys.stderr = before


# ------------------------------------------------------------------------------------ the commands


def _command(argv):
    if argv[:1] == ["recipe"]:
        return _recipe(argv[1:])
    if argv[:1] == ["again"]:
        return _again(argv[1:])
    asked = arguments.request(argv)
    return _several(asked) if asked.several else _single(asked.paintings[0], asked.args)


def _recipe(argv):
    """Print how a picture was made."""
    parser = arguments.Parser(prog="nst recipe", description="Print how a picture was made: the recipe in it.")
    parser.add_argument("picture", metavar="PICTURE")
    print(json.dumps(recipe.read(as_path(parser.parse_args(argv).picture)), indent=2, ensure_ascii=False))
    return 0


def _again(argv):
    parser = arguments.Parser(prog="nst again", description="Make a picture anew by the recipe in it.")
    parser.add_argument("picture", metavar="PICTURE")
    parser.add_argument("-o", "--output", metavar="NEW", help="the new picture (PICTURE_again)")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--debug", action="store_true", help="show where in the code an error arose")
    args = parser.parse_args(argv)
    picture = as_path(args.picture)
    output = picture.with_stem(f"{picture.stem}_again") if args.output is None else as_path(args.output)
    return _single(recipe.painting_of(picture, output), argparse.Namespace(**arguments.NOTHING | vars(args)))


def _single(painting, args):
    """One content."""
    film = args.timelapse and as_path(args.timelapse)
    precheck.check(painting, args.force)
    _check_on_the_way(args, film)
    if not args.force:
        precheck.check_memory(painting)
    canvas = Canvas(painting)
    for name, path in painting.inputs.items():
        n_H, n_W = picture_size(path)
        print(f"{name:13}{path}  {n_W}x{n_H} px")
    with precheck.one_writer(painting.output), _loading():
        vgg = network_of(painting)
        from studio import optimise  # noqa: F401  while nothing can be lost
    if args.dry_run:
        canvas.run(vgg).print_estimate()
        return 0
    with precheck.one_writer(painting.output):
        if args.preview:
            print(_preview(painting, vgg))
        watchers, finish = _watchers(painting, args, film)
        began = time.perf_counter()
        with _on_the_way(painting.output), finish:
            canvas.paint(vgg, watchers=watchers)
    took = f"  ({time.perf_counter() - began:.0f} s)"
    print(f"{painting.output}{took}")
    return 0


def _preview(painting, vgg):
    """A quarter of the size, beside the output; its path."""
    settings = painting.settings.changed(size=max(precheck.SMALLEST, painting.settings.size // 4), evaluations=None)
    output = painting.output.with_stem(f"{painting.output.stem}_preview")
    small = dataclasses.replace(painting, settings=settings, output=output)
    with _on_the_way(output):
        return Canvas(small).paint(vgg)


@contextlib.contextmanager
def _on_the_way(output):
    """What goes wrong from here on is no bad input."""
    try:
        yield
    except (OSError, ValueError, MemoryError, ArithmeticError) as error:
        raise _Failed(str(error)) from error
    except KeyboardInterrupt as stop:
        kept = f" The picture so far: {output}" if output.exists() else ""
        raise type(stop)(f"{stop}{kept}") from stop
    except Exception as error:
        if type(error).__name__ != "ResourceExhaustedError":  # TensorFlow's, which is loaded late
            raise
        raise _Failed("out of memory. Take a smaller --size.") from error


def _check_on_the_way(args, film):
    if film:
        timelapse.check_ending(film)
        if film.exists() and not args.force:
            raise FileExistsError(f"{film}: is there already. Choose another, or replace it with --force.")
        precheck.check_room(film.parent, 10**6)
    if args.snapshots:
        folder = as_path(args.snapshots)
        precheck.check_room(folder / "step", 10**6)
        if any(folder.glob("step_*.png")) and not args.force:
            raise FileExistsError(f"{folder}: holds pictures of an earlier run. Choose another folder, or use --force.")


def _watchers(painting, args, film):
    """Functions of every record, and what ends with the run."""
    watchers, finish = [], contextlib.ExitStack()
    if args.snapshots:
        folder = as_path(args.snapshots)
        for old in folder.glob("step_*.png"):
            old.unlink()
        watchers.append(lambda record: save_image(record.image, folder / f"step_{record.step:05}.png"))
    if film:
        frames = timelapse.Timelapse(film)
        watchers.append(lambda record: frames.add(record.image))
        finish.callback(lambda: print(frames.save()))
    return watchers, finish


def _several(asked):
    """Several contents, or a folder."""
    args, report = asked.args, batch.Report()
    for path in asked.styles:
        picture_size(path)
    _check_on_the_way(args, None)
    if asked.skipped:
        print(f"{asked.skipped} pictures that nst made itself are left out.")
    print(f"{len(asked.paintings)} contents, style {' '.join(map(str, asked.styles))}")
    left = batch.still_to_do(asked.paintings, report, args.force)
    if left:
        with _loading():
            vgg = network_of(left[0])
            from studio import optimise  # noqa: F401  while nothing can be lost
        seconds = len(left) * Canvas(left[0]).run(vgg).seconds
        memory = max(map(precheck.memory_of, left))
        print(f"{len(left)} to paint: about {in_words_of_time(seconds)} and {in_words(round(memory))} of memory.")
        if not args.dry_run:
            try:
                batch.paint_all(left, vgg, report, watchers_of=lambda painting: _snapshots(painting, args))
            finally:
                report.print()
            return FAILED if report.failed else 0
    report.print()
    return FAILED if report.failed else 0


def _snapshots(painting, args):
    """Functions of every record, for one of several contents."""
    if not args.snapshots:
        return []
    folder = as_path(args.snapshots) / painting.output.stem
    return [lambda record: save_image(record.image, folder / f"step_{record.step:05}.png")]


if __name__ == "__main__":
    sys.exit(main())
