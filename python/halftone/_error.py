"""What goes wrong, as one exception."""
import enum
from typing import Union


class Status(enum.IntEnum):
    """HalftoneStatus of halftone-c/Runtime.h."""

    OK = 0
    CANNOT_READ = 1
    NOT_AN_ARTEFACT = 2
    WRONG_VERSION = 3
    MISSING_CPU_FEATURE = 4
    INVALID_ARGUMENT = 5
    OUT_OF_MEMORY = 6
    RUN_FAILED = 7


class Error(Exception):
    """A message that names every mistake.

    `status` is a Status where the runtime failed, and the exit status of the program `halftone` where a command did: 1 for an error that it
    reports, negative the signal that ended it.
    """

    def __init__(self, message: str, status: Union[Status, int]):
        super().__init__(message)
        self.status = status

    def __reduce__(self):
        return type(self), (str(self), self.status)
