"""A metric in Python, for a program that knows metrics as commands: the command asks by a socket, and is answered by the caller's thread."""
import contextlib
import inspect
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import sys
from typing import Callable, Dict

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent


def _load(path: str) -> Dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


class Metric:
    """Makes a command of a function; `listener` is readable when it is asked."""

    def __init__(self, function: Callable[..., float], folder: pathlib.Path):
        self.function = function
        self.takes_samples = len(inspect.signature(function).parameters) > 2
        self.folder = folder
        # What the program prints of the metric is its command: so the function's name.
        self.command = "python-" + re.sub(r"\W+", "", getattr(function, "__name__", "metric"))
        self.listener = socket.socket(socket.AF_UNIX)
        # By a descriptor, as a socket's path is at most 107 bytes.
        directory = os.open(folder, os.O_RDONLY)
        self.listener.bind(f"/proc/self/fd/{directory}/s")
        os.close(directory)
        self.listener.listen()
        python = sys.executable or shutil.which("python3") or "python3"
        script = folder / self.command
        script.write_text(f"#!/bin/sh\nexec {shlex.join([python, '-I', '-S', str(HERE / '_ask.py'), str(folder)])}\n")
        script.chmod(0o700)

    def environment(self) -> Dict[str, str]:
        return {"PATH": os.pathsep.join([str(self.folder), os.environ.get("PATH", os.defpath)])}

    def answer(self) -> None:
        """Calls the function once; what it raises goes on."""
        connection, _ = self.listener.accept()
        with connection:
            outputs, reference, samples = json.load(connection.makefile())
            part = [slice(*map(int, samples.split(":")))] if self.takes_samples else []
            value = float(self.function(_load(outputs), _load(reference), *part))
            with contextlib.suppress(BrokenPipeError):  # nobody asks any more: what the program says of it is the error
                connection.sendall(repr(value).encode())
