"""Arrays of other libraries, and archives of them."""
import os
import zipfile
from typing import Any, Mapping

import numpy as np


def to_numpy(value: Any) -> np.ndarray:
    """A NumPy array of the same elements: through DLPack without a copy where the value has it, else as NumPy makes one of it."""
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        try:
            return np.from_dlpack(value)
        except (BufferError, RuntimeError, TypeError):
            pass  # not on the CPU, or with a gradient: what NumPy says of it is the message
    return np.asarray(value)


def is_array(value: Any) -> bool:
    return any(hasattr(value, name) for name in ("__array__", "__array_interface__", "__dlpack__"))


def write_npz(path: "os.PathLike[str]", arrays: Mapping[str, Any]) -> None:
    """As numpy.savez, which takes no array of the name `file`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, value in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(to_numpy(value), order="C"), allow_pickle=False)
