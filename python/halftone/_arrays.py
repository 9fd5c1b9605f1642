"""Arrays of other libraries, and archives of them."""
import os
import shutil
import tempfile
import zipfile
from typing import Any, Dict, Iterable, Mapping

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


class _Column:
    """The samples of one name, in a file without a name, as nobody knows how many will come."""

    def __init__(self, array: np.ndarray):
        self.dtype, self.shape, self.samples = array.dtype, array.shape[1:], 0
        self.file = tempfile.TemporaryFile()

    def append(self, array: np.ndarray) -> None:
        array.tofile(self.file)
        self.samples += len(array)

    def write(self, entry: Any) -> None:
        np.lib.format.write_array_header_1_0(entry, {"descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False,
                                                     "shape": (self.samples, *self.shape)})
        self.file.seek(0)
        shutil.copyfileobj(self.file, entry)


def write_npz_of_parts(path: "os.PathLike[str]", option: str, parts: Iterable[Any]) -> None:
    """As write_npz of the parts' arrays, each behind the one before along its first axis. One part is in memory at a time."""
    columns: Dict[str, _Column] = {}
    try:
        for index, part in enumerate(parts):
            if not isinstance(part, Mapping):
                raise TypeError(f"{option}= takes arrays by the names of the model's inputs: item {index} is no mapping, but {type(part).__name__}")
            if index and part.keys() != columns.keys():
                raise TypeError(f"{option}=: item {index} has {sorted(part)}, those before have {sorted(columns)}")
            for name, value in part.items():
                array = np.asarray(to_numpy(value), order="C")
                if not array.ndim or array.dtype.hasobject:
                    raise TypeError(f"{option}=: '{name}' of item {index} is no array of samples, but {array.dtype} of shape {array.shape}")
                if not index:
                    columns[name] = _Column(array)
                column = columns[name]
                if (array.dtype, array.shape[1:]) != (column.dtype, column.shape):
                    raise TypeError(f"{option}=: '{name}' of item {index} is {array.dtype} with samples of shape {array.shape[1:]}, "
                                    f"those before are {column.dtype} of {column.shape}")
                column.append(array)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, column in columns.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    column.write(entry)
    finally:
        for column in columns.values():
            column.file.close()
