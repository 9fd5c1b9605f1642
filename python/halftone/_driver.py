"""The commands of the program `halftone`, each in a process of its own: no crash, interrupt or memory of the compiler is the caller's."""
import contextlib
import itertools
import logging
import os
import pathlib
import selectors
import shutil
import signal
import subprocess
import tempfile
import weakref
from typing import IO, Any, Callable, Iterable, List, Literal, Mapping, Optional, Tuple, Union, overload

import numpy as np

from ._arrays import is_array, write_npz, write_npz_of_parts
from ._error import Error
from ._locate import DRIVER, find
from ._metric import Metric
from ._runtime import Model

PathLike = Union[str, "os.PathLike[str]"]
Progress = Callable[[str], None]
_PREFIX = "halftone: "
_log = logging.getLogger("halftone")

#: What an interrupted command gets, and how long it then has to end, in seconds: on the first it saves what it can (`--resume`).
_STOPS = ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, None))


class _Program:
    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"<halftone {self.name}>"

    def _run(self, models: Tuple[Any, ...], output: Optional[PathLike], progress: Optional[Progress], options: Mapping[str, Any]) -> str:
        with tempfile.TemporaryDirectory(prefix="halftone-") as folder:
            words = _Words(pathlib.Path(folder))
            arguments = [find(DRIVER), self.name, *(words.model(model) for model in models)]
            metric = None
            for name, value in options.items():
                if name == "metric" and callable(value):
                    metric = Metric(value, words.new_folder())
                    name, value = "metric_command", metric.command
                arguments += words.option(name, value)
            if output is not None:
                arguments += ["-o", os.fspath(output)]
            return _Process(arguments, metric, print_result=output is None).run(progress or _log_line)

    def _write(self, models: Tuple[Any, ...], output: PathLike, progress: Optional[Progress], options: Mapping[str, Any]) -> pathlib.Path:
        self._run(models, output, progress, options)
        return pathlib.Path(output)


class Command(_Program):
    """One command of the program `halftone`, as a function of the same options.

    models: what the program takes as MODEL: a path, the bytes of an ONNX file, an onnx.ModelProto, or a Model; `compare` takes two.
    output: the file that it writes (`-o`). Without, what it prints is returned.
    progress: called with each line that the program prints on the way; by default they go to the logger "halftone".
    options: those that `halftone COMMAND --help` lists, with _ for -: max_bytes="15%" is --max-bytes=15%; True is a flag, None no option; a
        list or a mapping of strings and numbers repeats (dim={"batch": "1..32"}). A mapping of names to arrays, as of `data`, is written
        to a temporary .npz; so is an iterable of such mappings, as a generator or a loader of batches, each with some samples more: only
        one of them is in memory. A callable as `metric` says how good a model is (build, quantize): metric(outputs, reference) gets the outputs
        of the model and those of float, by name, for the samples that are measured, and returns a number, more is better; one with a third
        parameter gets the slice of `data` that they are of. `max_drop` is in its points. It runs on the caller's thread.

    Raises Error with the program's message. Any other exception, as KeyboardInterrupt or one of `metric` and `progress`, stops the program.
    """

    @overload
    def __call__(self, *models: Any, output: None = None, progress: Optional[Progress] = None, **options: Any) -> str: ...
    @overload
    def __call__(self, *models: Any, output: PathLike, progress: Optional[Progress] = None, **options: Any) -> pathlib.Path: ...

    def __call__(self, *models, output=None, progress=None, **options):
        return self._run(models, None, progress, options) if output is None else self._write(models, output, progress, options)


class ModelCommand(_Program):
    """A Command that makes a library, and loads it.

    output: the library (.so). Without, a temporary one, which goes with the Model.
    load: False for a library for another CPU, or a file of another kind: its path is returned.

    Models, progress, options (a metric in Python among them) and errors are as of Command: `help(halftone.Command)`.
    """

    @overload
    def __call__(self, *models: Any, output: Optional[PathLike] = None, progress: Optional[Progress] = None, load: Literal[True] = True,
                 **options: Any) -> Model: ...
    @overload
    def __call__(self, *models: Any, output: PathLike, progress: Optional[Progress] = None, load: Literal[False],
                 **options: Any) -> pathlib.Path: ...

    def __call__(self, *models, output=None, progress=None, load=True, **options):
        if not load:
            if output is None:
                raise TypeError(f"{self.name}(load=False) needs output=")
            return self._write(models, output, progress, options)
        if output is not None:
            path = pathlib.Path(output)
            if path.suffix != ".so":
                raise TypeError(f"{self.name}(output='{path}') writes no library (.so) that can be loaded; load=False returns its path")
            return Model(self._write(models, path, progress, options))
        folder = tempfile.mkdtemp(prefix="halftone-")
        try:
            model = Model(self._write(models, pathlib.Path(folder, "model.so"), progress, options))
        except BaseException:
            shutil.rmtree(folder)
            raise
        weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
        return model


class _Words:
    """Makes Python's values words of a command line. Arrays and models in memory become files in `folder`."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def _file(self, extension: str) -> pathlib.Path:
        return self.folder / f"{len(os.listdir(self.folder))}{extension}"

    def new_folder(self) -> pathlib.Path:
        path = self._file("")
        path.mkdir()
        return path

    def model(self, value: Any) -> str:
        if isinstance(value, Model):
            return value.path
        if hasattr(value, "SerializeToString"):
            value = value.SerializeToString()
        if not isinstance(value, (bytes, bytearray, memoryview)):
            return os.fspath(value)
        path = self._file(".onnx")
        path.write_bytes(value)
        return str(path)

    def option(self, name: str, value: Any) -> List[str]:
        flag = "--" + name.strip("_").replace("_", "-")
        if value is None:
            return []
        if isinstance(value, (bool, np.bool_)):
            return [flag] if value else [flag + "=false"]
        if isinstance(value, Mapping):
            if _has_arrays(value):
                path = self._file(".npz")
                write_npz(path, value)
                return [f"{flag}={path}"]
            value = [f"{key}={item}" for key, item in value.items()]
        if _is_sequence(value):
            items = iter(value)
            first = next(items, None)
            if isinstance(first, Mapping) and _has_arrays(first):
                path = self._file(".npz")
                write_npz_of_parts(path, name, itertools.chain([first], items))
                return [f"{flag}={path}"]
            if first is None and name == "data":  # no samples are a mistake, as the model would be float
                raise TypeError("data= is empty")
            return [] if first is None else [word for item in itertools.chain([first], items) for word in self.option(name, item)]
        if is_array(value) and not isinstance(value, np.generic):
            raise TypeError(f"{name}= takes arrays by the names of the model's inputs: {{'NAME': array}}")
        if isinstance(value, (Model, bytes)) or hasattr(value, "SerializeToString"):
            value = self.model(value)
        return [f"{flag}={os.fspath(value) if isinstance(value, os.PathLike) else value}"]


def _has_arrays(value: Mapping[Any, Any]) -> bool:
    return not all(isinstance(item, (str, int, float)) for item in value.values())


def _is_sequence(value: Any) -> bool:
    """Whether it is a list, or anything else that gives items: not what is one value itself."""
    if isinstance(value, (str, bytes, bytearray, memoryview, Model)) or hasattr(value, "SerializeToString"):
        return False
    return isinstance(value, Iterable) and not is_array(value)


class _Process:
    """A process of the program; what it prints is read while it runs."""

    def __init__(self, arguments: List[Any], metric: Optional[Metric], print_result: bool):
        self.arguments = arguments
        self.metric = metric
        self.keeps_output = print_result
        self.selector = selectors.DefaultSelector()
        self.open = 0
        self.printed: List[bytes] = []  # of standard output, where it is the result
        self.lines: List[str] = []  # of standard error

    def run(self, progress: Progress) -> str:
        self.progress = progress
        # In a session of its own, so that Ctrl-C is passed on once, by what is below, and to all that it started.
        environment = {**os.environ, **(self.metric.environment() if self.metric else {})}
        listener = self.metric.listener if self.metric else contextlib.nullcontext()
        with self.selector, listener, subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                       stderr=subprocess.PIPE, env=environment, start_new_session=True) as process:
            try:
                if self.metric:
                    self.selector.register(self.metric.listener, selectors.EVENT_READ, self.metric.answer)
                self._watch(process.stdout, self.printed.append if self.keeps_output else _split_lines(progress))
                self._watch(process.stderr, _split_lines(self._take_line))
                while self.open:
                    for key, _ in self.selector.select():
                        key.data()
                process.wait()
            except BaseException:
                _stop(process)
                raise
        if process.returncode:
            raise Error(self._message(process.returncode), process.returncode)
        return b"".join(self.printed).decode(errors="replace")

    def _watch(self, pipe: Optional[IO[bytes]], take: Callable[[bytes], Any]) -> None:
        assert pipe is not None

        def read() -> None:
            chunk = os.read(pipe.fileno(), 1 << 16)
            take(chunk)
            if not chunk:
                self.selector.unregister(pipe)
                self.open -= 1

        self.selector.register(pipe, selectors.EVENT_READ, read)
        self.open += 1

    def _take_line(self, line: str) -> None:
        self.lines.append(line)
        self.progress(line)

    def _message(self, status: int) -> str:
        first = next((i for i, line in enumerate(self.lines) if line.startswith(_PREFIX + "error: ")), None)
        if first is not None and status > 0:
            return "\n".join(line.removeprefix(_PREFIX).removeprefix("error: ") for line in self.lines[first:])
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
        printed = self.lines[-20:] or b"".join(self.printed).decode(errors="replace").splitlines()[-20:]
        return "\n".join([f"`halftone {self.arguments[1]}` {how}", *printed])


def _split_lines(take: Progress) -> Callable[[bytes], None]:
    rest = b""

    def feed(chunk: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + chunk).split(b"\n")
        if not chunk and rest:
            lines.append(rest)
        for line in lines:
            take(line.decode(errors="replace"))

    return feed


def _log_line(line: str) -> None:
    level = logging.WARNING if line.startswith(_PREFIX + "warning: ") else logging.INFO
    _log.log(level, "%s", line.removeprefix(_PREFIX))


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for sign, seconds in _STOPS:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(seconds)
            return
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
