"""The command `nst`: pictures in, a picture out, from the command line."""

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

from nst_support.memory import in_words
from nst_support.pictures import as_path, picture_size, save_image, shrunk_size
from nst_support.weight_files import DownloadError
from studio import arguments, batch, checkpoint, errors, precheck, recipe, timelapse
from studio.estimate import in_words as in_words_of_time
from studio.painting import Canvas, network_of, styles_of
from studio.scheduler import connected

FAILED, BAD_INPUT, STOPPED, TERMINATED = 1, 2, 130, 143
ON_THE_WAY = 10**6  # bytes that must be free for a film, or for snapshots


class _Terminated(KeyboardInterrupt):
    """SIGTERM, after which the picture so far is kept as after Ctrl-C."""


class _Failed(Exception):
    """What went wrong after the work had begun."""


def main(argv=None):
    """Run a command line, and return its exit code: 0, 1 a failure on the way, 2 bad input, 130 Ctrl-C, 143 SIGTERM."""
    argv = sys.argv[1:] if argv is None else list(argv)
    with _patient_streams() as lost:
        try:
            with _signals({signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _terminate}):
                code = _command(argv)
        except SystemExit as end:  # --help, --version
            code = end.code or 0
        except KeyboardInterrupt as stop:
            _say(" ".join(str(stop).split()) or "Stopped before there was a picture.")
            code = TERMINATED if _is_termination(stop) else STOPPED
        except Exception as error:
            if "--debug" in argv:
                traceback.print_exc()
            code = _explained(error)
        if reason := lost():
            _say(f"nst: what it prints could not be written: {reason}.")
            code = code or FAILED
    return code


def _explained(error):
    """Say in one line what is wrong, and return the exit code."""
    line = errors.in_one_line(error)
    if isinstance(error, _Failed):
        _say(f"nst: {line}")
        return FAILED
    if errors.is_expected(error) or isinstance(error, DownloadError):
        _say(f"nst: {line}")
        return BAD_INPUT
    _say(f"nst: a fault of the program, {type(error).__name__}: {line}. Run it with --debug and report what it shows.")
    return FAILED


def _say(line):
    print(line, file=sys.stderr)


# ------------------------------------------------------------------------------------ signals and streams


def _terminate(*_):
    raise _Terminated("Stopped from outside.")


def _is_termination(stop):
    """Was it SIGTERM, perhaps raised anew on its way?"""
    while stop is not None and not isinstance(stop, _Terminated):
        stop = stop.__context__
    return stop is not None


@contextlib.contextmanager
def _signals(handlers):
    """Handle signals so within the block, except those that are ignored, as `nohup` asks for.

    Elsewhere than in the main thread nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in handlers}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, handlers[number])
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _loading():
    """While libraries load there is nothing to keep, and an exception inside them would show their insides."""
    with contextlib.suppress(OSError, AttributeError):  # closed, or none
        sys.stderr.flush()
    try:
        there = os.dup(2)  # TensorFlow's greetings are kept out of 2 meanwhile
    except OSError:  # closed
        there = None

    def end_at_once(number, _):
        with contextlib.suppress(OSError, TypeError):
            os.write(there, b"\nStopped before there was a picture.\n")
        os._exit(STOPPED if number == signal.SIGINT else TERMINATED)

    with _signals({signal.SIGINT: end_at_once, signal.SIGTERM: end_at_once}):
        yield
    if there is not None:
        os.close(there)


class _Patient:
    """A stream that may fail without an end to the work: its reader goes away (`nst ... | head`), its disk is full."""

    def __init__(self, stream):
        self._stream, self.lost = stream, None
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # also into a file, which somebody may follow

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        with self._patience():
            try:
                return self._stream.write(text)
            except UnicodeEncodeError:  # a path that this terminal cannot show
                encoding = self._stream.encoding
                return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def flush(self):
        with self._patience():
            self._stream.flush()

    @contextlib.contextmanager
    def _patience(self):
        try:
            yield
        except OSError as error:
            self.lost = None if isinstance(error, BrokenPipeError) else error.strerror
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def _patient_streams():
    """Yield a function that says why something printed could not be written, or None."""
    before = sys.stdout, sys.stderr

    def lost():
        sys.stdout.flush()
        return sys.stdout.lost

    with open(os.devnull, "w") as nowhere:  # for a stream that is closed: None
        sys.stdout, sys.stderr = (_Patient(stream or nowhere) for stream in before)
        try:
            yield lost
        finally:
            sys.stdout, sys.stderr = before


# ------------------------------------------------------------------------------------ the commands


def _command(argv):
    if argv[:1] == ["recipe"]:
        return _recipe(argv[1:])
    if argv[:1] == ["again"]:
        return _again(argv[1:])
    asked = arguments.request(argv)
    if asked.several:
        return _several(asked)
    (painting,) = asked.paintings
    if asked.args.resume and recipe.is_done(painting):
        print(f"{painting.output}: done already, with the same settings.")
        return 0
    return _single(painting, asked.args)


def _recipe(argv):
    """Print how a picture was made."""
    args = arguments.recipe_parser().parse_args(argv)
    print(json.dumps(recipe.read(as_path(args.picture)), indent=2, ensure_ascii=False))
    return 0


def _again(argv):
    args = arguments.again_parser().parse_args(argv)
    painting = recipe.painting_of(as_path(args.picture))
    output = arguments.output_again(painting.output, args.output)
    quality = painting.quality if precheck.has_quality(output) else None
    painting = dataclasses.replace(painting, output=output, quality=quality)
    return _single(painting, argparse.Namespace(**arguments.NOTHING | vars(args)))


def _single(painting, args):
    """One content."""
    film, preview = args.timelapse and as_path(args.timelapse), _preview_of(painting) if args.preview else None
    precheck.check(painting, args.force, args.resume)
    if preview:
        precheck.check(preview, args.force or batch.is_ours(preview))
    if film:
        timelapse.check_ending(film)
        precheck.check_new(film, "--timelapse", painting.inputs, args.force, ON_THE_WAY)
    if args.snapshots:
        _check_snapshots(painting, as_path(args.snapshots), args.force)
    if not args.force:
        precheck.check_memory(painting, args.scheduler)
    canvas = Canvas(painting)
    for name, path in painting.inputs.items():
        n_H, n_W = picture_size(path)
        print(f"{name:13}{path}  {n_W}x{n_H} px")
    with precheck.one_writer(painting.output) as has_written, connected(args.scheduler) as crew:
        vgg = _network(painting)
        if args.dry_run:
            canvas.run(vgg, crew).print_estimate()
            return 0
        if preview:
            with precheck.one_writer(preview.output) as has_written_preview, _on_the_way(preview, has_written_preview):
                print(Canvas(preview).paint(vgg))
        watchers, finish = _watchers(painting, args.snapshots and as_path(args.snapshots), film)
        began = time.perf_counter()
        with _on_the_way(painting, has_written), finish:
            canvas.paint(vgg, watchers=watchers, resume=args.resume, crew=crew)
        print(f"{painting.output}  ({time.perf_counter() - began:.0f} s)")
    return 0


def _network(painting):
    with _loading():
        from studio import optimise  # noqa: F401  while nothing can be lost
    return network_of(painting)


def _preview_of(painting):
    """The painting at a quarter of the size, but not below what can be painted, beside the output."""
    whole = max(shrunk_size(picture_size(painting.content), painting.settings.size))
    size = max(whole // 4, min(whole, precheck.smallest_size(painting)))
    settings = painting.settings.changed(size=size, evaluations=None)
    output = painting.output.with_stem(f"{painting.output.stem}_preview")
    return dataclasses.replace(painting, settings=settings, output=output)


@contextlib.contextmanager
def _on_the_way(painting, has_written):
    """What goes wrong from here on is no bad input, and the picture so far may be there."""
    try:
        yield
    except KeyboardInterrupt as stop:
        kept = f"The picture so far: {painting.output}" if has_written() else "There is no picture yet."
        if checkpoint.path_of(painting.output).exists():
            kept += " Go on with --resume."
        raise KeyboardInterrupt(f"{str(stop) or 'Stopped.'} {kept}") from stop
    except Exception as error:
        if not errors.is_expected(error):
            raise
        raise _Failed(errors.in_one_line(error)) from error


def _watchers(painting, snapshots, film):
    """Functions of every record, and what ends with the run."""
    watchers, finish = [], contextlib.ExitStack()
    if snapshots:
        watchers.append(_keeping_snapshots(snapshots))
    if film:
        frames = timelapse.Timelapse(film)
        watchers.append(lambda record: frames.add(record.image))
        finish.callback(lambda: frames.kept and print(frames.save()))
    return watchers, finish


def _keeping_snapshots(folder):
    """A function of every record. Those of an earlier run are removed."""
    for old in _snapshots_in(folder):
        old.unlink()
    return lambda record: save_image(record.image, folder / f"step_{record.step:05}.png")


def _snapshots_in(folder):
    return [path for path in folder.glob("step_*.png") if _is_snapshot(path)]


def _is_snapshot(path):
    return path.name.startswith("step_") and path.suffix == ".png" and path.stem.removeprefix("step_").isdigit()


def _check_snapshots(painting, folder, force):
    """Raise ValueError or OSError where snapshots cannot be kept, or where they would replace something."""
    precheck.check_room(folder, ON_THE_WAY, "--snapshots")
    old, output = _snapshots_in(folder), painting.output
    if _is_snapshot(output) and output.absolute().parent == folder.absolute():
        raise ValueError(f"{output}: is among the snapshots. Choose another -o, or other --snapshots.")
    for name, path in painting.inputs.items():
        if any(path.samefile(one) for one in old):
            raise ValueError(f"{path}: the {name} is among the snapshots, and would be lost. Choose other --snapshots.")
    if old and not force:
        raise FileExistsError(
            f"{folder}: holds pictures of an earlier run. Choose other --snapshots, or replace them with --force."
        )


def _several(asked):
    """Several contents, or a folder."""
    args, report, first = asked.args, batch.Report(), asked.paintings[0]
    precheck.check_shared(first)
    precheck.check_room(first.output.parent, ON_THE_WAY)
    styles_of(first)  # read for each content anew, but a damaged one is told at once
    snapshots = args.snapshots and as_path(args.snapshots)
    if snapshots:
        precheck.check_room(snapshots, ON_THE_WAY, "--snapshots")
    if asked.skipped:
        pictures = "1 picture" if asked.skipped == 1 else f"{asked.skipped} pictures"
        print(f"{pictures} that nst made itself: left out.")
    print(f"{len(asked.paintings)} contents, style {' '.join(map(str, asked.styles))}")

    def check_more(painting):
        if snapshots:
            _check_snapshots(painting, snapshots / painting.output.stem, args.force)

    def watchers_of(painting):
        return [_keeping_snapshots(snapshots / painting.output.stem)] if snapshots else []

    left = batch.still_to_do(asked.paintings, report, args.force, args.resume, check_more, args.scheduler is None)
    try:
        if left and args.scheduler:
            _on_workers(left, args, report)
        elif left:
            vgg = _network(left[0])
            left, seconds = batch.estimated(left, vgg, report)
            memory = max(map(precheck.memory_of, left), default=0)
            words = f"about {in_words_of_time(seconds)} and {in_words(round(memory))} of memory"
            print(f"{len(left)} to paint: {words}.")
            if not args.dry_run:
                batch.paint_all(left, vgg, report, resume=args.resume, watchers_of=watchers_of)
    finally:
        report.print()
    return FAILED if report.failed else 0


def _on_workers(paintings, args, report):
    """Several contents, on the workers of a scheduler."""
    with connected(args.scheduler) as crew:
        from studio import far_pictures

        if not args.force:
            far_pictures.check_memory(paintings, args.scheduler)
        vgg = _network(paintings[0])
        print(f"{len(paintings)} to paint.")
        if not args.dry_run:
            try:
                far_pictures.paint_all(paintings, vgg, crew, report)
            except ConnectionError as error:
                raise _Failed(errors.in_one_line(error)) from error
