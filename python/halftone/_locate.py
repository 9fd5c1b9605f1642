"""Finds the driver and the runtime library of one build."""
import functools
import os
import pathlib
import shutil
from typing import Iterator, List, Tuple

from ._error import Error, Status

HERE = pathlib.Path(__file__).resolve().parent
DRIVER = "bin/halftone"
RUNTIME = "lib/libhalftone_runtime.so"


def _roots() -> Iterator[Tuple[str, pathlib.Path]]:
    """Folders with bin/ and lib/, and what each is. One that is asked for by HALFTONE_HOME is the only one."""
    home = os.environ.get("HALFTONE_HOME")
    if home:
        yield "HALFTONE_HOME", pathlib.Path(home)
        return
    yield "the package", HERE
    yield "the build tree", HERE.parents[1] / "build"
    on_path = shutil.which("halftone")
    if on_path and pathlib.Path(on_path).resolve().parent.name == "bin":
        yield "PATH", pathlib.Path(on_path).resolve().parents[1]


@functools.lru_cache(maxsize=None)
def _find(name: str, home: str) -> pathlib.Path:
    tried: List[str] = []
    for what, root in _roots():
        if (root / name).is_file():
            return root / name
        tried.append(f"{root / name} ({what})")
    hint = "set HALFTONE_HOME to a folder with bin/halftone and lib/libhalftone_runtime.so, as a build is"
    if not home:
        hint += ", or put the program halftone on PATH"
    raise Error(f"Halftone's {name} is not found; {hint}. Looked for:\n  " + "\n  ".join(tried), Status.CANNOT_READ)


def find(name: str) -> pathlib.Path:
    """The path of DRIVER or RUNTIME; Error with all that was looked for if there is none."""
    return _find(name, os.environ.get("HALFTONE_HOME", ""))
