"""Compiled models, through the C API of libhalftone_runtime (halftone-c/Runtime.h)."""
import contextlib
import ctypes
import functools
import json
import os
import threading
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_uint32, c_void_p
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from ._arrays import to_numpy
from ._error import Error, Status
from ._locate import RUNTIME, find

# HalftoneElementType.
_DTYPES: Dict[int, np.dtype] = {1: np.dtype(np.float32), 2: np.dtype(np.int8), 3: np.dtype(np.uint8), 4: np.dtype(np.int32), 5: np.dtype(np.int64),
           6: np.dtype(np.bool_)}
_ELEMENT_TYPES = {dtype: element_type for element_type, dtype in _DTYPES.items()}


# The structures of the C headers, up to the last field that is read here.
class _TensorInfo(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("shape", POINTER(c_int64)), ("rank", c_int32), ("elementType", c_int32), ("preprocess", c_char_p)]


class _ModelInfo(ctypes.Structure):
    pass


_ModelInfo._fields_ = [("abiVersion", c_uint32), ("structBytes", c_uint32), ("name", c_char_p), ("target", c_char_p), ("cpuFeatures", c_char_p),
                ("sourceHash", c_char_p), ("compilerVersion", c_char_p), ("report", c_char_p), ("numInputs", c_int32),
                ("numOutputs", c_int32), ("inputs", POINTER(_TensorInfo)), ("outputs", POINTER(_TensorInfo)), ("minBatch", c_int64),
                ("maxBatch", c_int64), ("workspaceBytes", c_int64), ("workspaceAlignment", c_int64), ("constantBytes", c_int64),
                ("run", c_void_p), ("numLayers", c_int32), ("layerStructBytes", c_int32), ("layers", c_void_p), ("numVariants", c_int32),
                ("reserved", c_int32), ("variants", c_void_p), ("costTable", c_char_p), ("samples", c_int64), ("runSample", c_void_p),
                ("numSizes", c_int32), ("sizesReserved", c_int32), ("sizes", POINTER(POINTER(_ModelInfo))), ("size", c_char_p)]


class _LayerInfo(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("kind", c_char_p), ("kernel", c_char_p), ("shapes", c_char_p), ("body", c_void_p),
                ("perSample", c_int32), ("calls", c_int32), ("multiplyAccumulates", c_int64)]


class _LoadOptions(ctypes.Structure):
    _fields_ = [("numThreads", c_int32)]


class _Buffer(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("shape", POINTER(c_int64)), ("rank", c_int32), ("elementType", c_int32), ("data", c_void_p)]


class _SamplePlan(ctypes.Structure):
    _fields_ = [("numSamples", c_int64), ("samplesPerRun", c_int64), ("batch", c_int64)]


@functools.lru_cache(maxsize=None)
def _library() -> ctypes.CDLL:
    path = find(RUNTIME)
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise Error(f"cannot load '{path}': {error}", Status.CANNOT_READ) from None
    buffers = [POINTER(_Buffer), c_int32, POINTER(_Buffer), c_int32]
    for name, result, arguments in (
            ("last_error", c_char_p, []),
            ("module_load", c_int32, [c_char_p, POINTER(_LoadOptions), POINTER(c_void_p)]),
            ("module_unload", None, [c_void_p]),
            ("module_info", POINTER(_ModelInfo), [c_void_p]),
            ("module_for_inputs", c_void_p, [c_void_p, POINTER(_Buffer), c_int32]),
            ("module_threads", c_int32, [c_void_p]),
            ("module_num_layers", c_int32, [c_void_p]),
            ("module_layer", POINTER(_LayerInfo), [c_void_p, c_int32]),
            ("session_create", c_int32, [c_void_p, POINTER(c_void_p)]),
            ("session_destroy", None, [c_void_p]),
            ("session_run", c_int32, [c_void_p, *buffers]),
            ("session_run_profiled", c_int32, [c_void_p, *buffers, POINTER(c_int64)]),
            ("session_run_samples", c_int32, [c_void_p, *buffers]),
            ("samples_plan", c_int32, [c_void_p, POINTER(_Buffer), c_int32, POINTER(_SamplePlan)]),
            ("samples_output_shape", c_int32, [c_void_p, POINTER(_SamplePlan), c_int32, POINTER(c_int64), POINTER(c_int32)])):
        function = getattr(library, "halftone_" + name)
        function.restype, function.argtypes = result, arguments
    return library


def _check(status: int, *arrays: "_Buffers") -> None:
    if status:
        message = _library().halftone_last_error().decode(errors="replace")
        raise Error(message + "".join(buffers.note() for buffers in arrays), Status(status))


class Tensor(NamedTuple):
    """An input or output of a model."""

    name: str
    dtype: np.dtype
    shape: Tuple[Optional[int], ...]  #: None is the batch of a model that leaves it open.
    preprocess: str  #: The recorded line of steps for pictures, or "".


class Size(NamedTuple):
    """One of the sizes of dimensions that a library was built for."""

    name: str  #: As "seq=16"; "" where there is only one.
    inputs: List[Tensor]
    outputs: List[Tensor]
    workspace_bytes: int


class Layer(NamedTuple):
    """One layer's part of a run."""

    name: str  #: Of the source model's node, the first of several.
    kind: str  #: As "conv 3x3/2".
    kernel: str  #: As "vpdpbusd_512".
    shapes: str  #: As "1x14x14x96 -> 1x14x14x24".
    seconds: float
    multiply_accumulates: int  #: At batch 1.


class Profile(NamedTuple):
    """Where the time of a run goes; both are means of the runs."""

    seconds: float  #: Of the whole run, what lies between the layers included.
    layers: List[Layer]  #: In the order of running.


def _dense(value: Any) -> np.ndarray:
    array = np.asarray(to_numpy(value), order="C")  # not ascontiguousarray, which makes scalars vectors
    return array if array.flags.aligned else array.copy()


class _Buffers:
    """Arrays as the C API takes them. `None` as a name is the tensor at that position."""

    def __init__(self, arrays: Iterable[Tuple[Optional[str], Any]]):
        self.arrays = [(name, _dense(array)) for name, array in arrays]
        self.count = len(self.arrays)
        self.pointer = (_Buffer * self.count)()
        for buffer, (name, array) in zip(self.pointer, self.arrays):
            shape = (c_int64 * array.ndim)(*array.shape)
            buffer.name = None if name is None else str(name).encode(errors="surrogateescape")
            buffer.shape, buffer.rank = ctypes.cast(shape, POINTER(c_int64)), array.ndim
            buffer.elementType, buffer.data = _ELEMENT_TYPES.get(array.dtype, 0), array.ctypes.data

    def note(self) -> str:
        """The types that the C API has no name for."""
        others = [f"'{position if name is None else name}' is {array.dtype}" for position, (name, array) in enumerate(self.arrays)
                  if array.dtype not in _ELEMENT_TYPES]
        return f" ({', '.join(others)})" if others else ""


Outputs = Dict[str, np.ndarray]


def _named(inputs: Any) -> _Buffers:
    if not isinstance(inputs, Mapping):
        raise TypeError(f"arrays are given by the names of the model's inputs, {{'NAME': array}}, not as {type(inputs).__name__}; "
                        "calling the model takes them by position")
    return _Buffers(inputs.items())


class Model:
    """A compiled model, loaded from a library that `halftone build` or `halftone compile` wrote.

    The library is code: load only what you trust. Any number of threads may run a model at once; each run has a workspace of its own, which
    later runs take over. Python's lock is released while a model runs or loads. Ctrl-C arrives when the run has ended.

    path: the library (.so).
    threads: those that run parallel loops, the caller's included. None: the environment's HALFTONE_NUM_THREADS, else all CPUs of this process.

    Raises Error if the file cannot be read, is no compiled model, or needs what this CPU does not have.
    """

    name: str
    target: str  #: What it was compiled for, as "znver4".
    inputs: List[Tensor]  #: Of several sizes, in the first.
    outputs: List[Tensor]
    sizes: List[Size]  #: Those of a library for several; the shapes of inputs say which one runs. Else one.
    batch: Tuple[int, int]  #: The least and the most that a run takes; (1, 1) where all shapes are fixed.
    threads: int  #: Those that run parallel loops.
    workspace_bytes: int  #: Of each run at the same time, in the largest size.
    constant_bytes: int  #: Weights, biases, scales and tables.
    report: Dict[str, Any]  #: The precision of each operation, and sizes.

    def __init__(self, path: Union[str, "os.PathLike[str]"], threads: Optional[int] = None):
        self._lock = threading.Lock()
        self._idle: List[c_void_p] = []
        self._running = 0
        self._closed = False
        self._module = c_void_p()
        self.path, self._threads = os.fsdecode(path), threads
        library = _library()
        _check(library.halftone_module_load(os.fsencode(path), _LoadOptions(threads or 0), self._module))
        info = library.halftone_module_info(self._module).contents
        self.name, self.target = info.name.decode(), info.target.decode()
        self.sizes = [_size(model) for model in _models(info)]
        self.inputs, self.outputs = self.sizes[0].inputs, self.sizes[0].outputs
        self.batch = (info.minBatch, info.maxBatch)
        self.threads = library.halftone_module_threads(self._module)
        self.workspace_bytes, self.constant_bytes = max(size.workspace_bytes for size in self.sizes), info.constantBytes
        self.report = json.loads(info.report) if info.report else {}

    def run(self, inputs: Mapping[str, Any], out: Optional[Mapping[str, np.ndarray]] = None) -> Outputs:
        """Runs the model once, and returns its outputs by name.

        inputs: an array for each input by name, of its type and shape: NumPy's, or anything with __dlpack__ (on the CPU) or __array__. The
            batch, and the size of a library for several, are what the shapes say.
        out: NumPy arrays that outputs are written to, which overlap nothing else; the others are made.

        Raises Error, which lists all names, types and shapes that do not fit.
        """
        given = _named(inputs)
        return self._run("session_run", given, self._output_shapes(given), out)

    def __call__(self, *inputs: Any) -> Union[np.ndarray, Tuple[np.ndarray, ...]]:
        """Runs the model once on inputs in the model's order; the output, or a tuple where there are several."""
        given = _Buffers((None, array) for array in inputs)
        results = tuple(self._run("session_run", given, self._output_shapes(given), None).values())
        return results[0] if len(results) == 1 else results

    def run_samples(self, inputs: Mapping[str, Any], out: Optional[Mapping[str, np.ndarray]] = None) -> Outputs:
        """Runs the model on as many samples as the arrays have, batch by batch, and returns the outputs of all by name.

        An array is [N, d1, ...] for an input of shape [B, d1, ...], B fixed or the batch: N samples. An array of shape [N, B, d1, ...] holds one
        whole input in each sample. Else as `run`.
        """
        given = _named(inputs)
        plan, shapes, library = _SamplePlan(), [], _library()
        with self._open():
            module, size = self._size_of(given)
            _check(library.halftone_samples_plan(module, given.pointer, given.count, plan), given)
            for index, tensor in enumerate(size.outputs):
                shape, rank = (c_int64 * (len(tensor.shape) + 1))(), c_int32()
                _check(library.halftone_samples_output_shape(module, plan, index, shape, rank))
                shapes.append(tuple(shape[:rank.value]))
        return self._run("session_run_samples", given, shapes, out)

    def profile(self, inputs: Mapping[str, Any], runs: int = 10) -> Profile:
        """The time that each layer takes in `runs` runs behind one that is not counted. Models without a list of layers have none."""
        if runs < 1:
            raise ValueError(f"profile(runs={runs}): it takes 1 or more")
        given = _named(inputs)
        library = _library()
        with self._open():
            module, _ = self._size_of(given)
            layers = [library.halftone_module_layer(module, i).contents for i in range(library.halftone_module_num_layers(module))]
            facts = [Layer(layer.name.decode(), layer.kind.decode(), layer.kernel.decode(), layer.shapes.decode(), 0.0, layer.multiplyAccumulates)
                     for layer in layers]
        out = self._run("session_run", given, self._output_shapes(given), None)
        nanoseconds = (c_int64 * (len(layers) + 1))()
        for _ in range(runs):
            self._run("session_run_profiled", given, [], out, nanoseconds)
        *seconds, whole = (value / 1e9 / runs for value in nanoseconds)
        return Profile(whole, [fact._replace(seconds=time) for fact, time in zip(facts, seconds)])

    def close(self) -> None:
        """Frees the model; runs that are under way on other threads end before. Runs after it raise Error."""
        with self._lock:
            self._closed = True
            self._free()

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_module"):
            self.close()

    def __repr__(self) -> str:
        return f"halftone.Model('{self.path}', target '{self.target}', inputs {[tensor.name for tensor in self.inputs]})"

    def __reduce__(self) -> Tuple[Any, ...]:
        """A copy, or what another process reads of a pickle, loads the library anew from its path."""
        return type(self), (os.path.abspath(self.path), self._threads)

    def _size_of(self, given: _Buffers) -> Tuple[c_void_p, Size]:
        """The C API's module of the size that inputs have, and what it takes and gives."""
        if len(self.sizes) == 1:
            return self._module, self.sizes[0]
        library = _library()
        module = c_void_p(library.halftone_module_for_inputs(self._module, given.pointer, given.count))
        if not module:
            _check(Status.INVALID_ARGUMENT, given)
        name = library.halftone_module_info(module).contents.size.decode()
        return module, next(size for size in self.sizes if size.name == name)

    def _batch_of(self, given: _Buffers, size: Size) -> int:
        """What the shapes of inputs say, by the rule by which the C API checks them."""
        arrays = {self.inputs[position].name if name is None and position < len(self.inputs) else name: array
                  for position, (name, array) in enumerate(given.arrays)}
        for tensor in size.inputs:
            array = arrays.get(tensor.name)
            if array is None or array.ndim != len(tensor.shape):
                continue
            for extent, actual in zip(tensor.shape, array.shape):
                if extent is None:
                    return actual
                if extent != actual:
                    break
        return self.batch[0]

    def _output_shapes(self, given: _Buffers) -> List[Tuple[int, ...]]:
        with self._open():
            _, size = self._size_of(given)
        batch = self._batch_of(given, size)
        return [tuple(batch if extent is None else extent for extent in tensor.shape) for tensor in size.outputs]

    def _run(self, function: str, given: _Buffers, shapes: List[Tuple[int, ...]], out: Optional[Mapping[str, np.ndarray]],
             *more: Any) -> Outputs:
        if out is not None and not isinstance(out, Mapping):
            raise TypeError(f"out= takes arrays by the names of the model's outputs, {{'NAME': array}}, not {type(out).__name__}")
        results = dict(out or {})
        for name, array in results.items():
            if not isinstance(array, np.ndarray) or not array.flags.carray:
                raise Error(f"cannot run '{self.path}': output '{name}' is no contiguous, aligned, writeable NumPy array", Status.INVALID_ARGUMENT)
        for tensor, shape in zip(self.outputs, shapes):
            if tensor.name not in results:
                results[tensor.name] = np.empty(shape, tensor.dtype)
        taken = _Buffers(results.items())
        with self._session() as session:
            run = getattr(_library(), "halftone_" + function)
            _check(run(session, given.pointer, given.count, taken.pointer, taken.count, *more), given, taken)
        return {tensor.name: results[tensor.name] for tensor in self.outputs}

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        """The library stays loaded meanwhile."""
        with self._lock:
            if self._closed:
                raise Error(f"cannot run '{self.path}': the model is closed", Status.INVALID_ARGUMENT)
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._free()

    @contextlib.contextmanager
    def _session(self) -> Iterator[c_void_p]:
        """A workspace that nobody else uses meanwhile."""
        with self._open():
            with self._lock:
                session = self._idle.pop() if self._idle else c_void_p()
            if not session:
                _check(_library().halftone_session_create(self._module, session))
            try:
                yield session
            finally:
                with self._lock:
                    self._idle.append(session)

    def _free(self) -> None:
        if not self._closed or self._running:
            return
        while self._idle:
            _library().halftone_session_destroy(self._idle.pop())
        if self._module:
            _library().halftone_module_unload(self._module)
        self._module = c_void_p()


def _models(first: _ModelInfo) -> List[_ModelInfo]:
    """The tables of all sizes. Those of older libraries end before the list."""
    if first.structBytes < ctypes.sizeof(_ModelInfo) or not first.numSizes:
        return [first]
    return [first.sizes[i].contents for i in range(first.numSizes)]


def _size(info: _ModelInfo) -> Size:
    inputs, outputs = ([_tensor(tensors[i]) for i in range(count)]
                       for tensors, count in ((info.inputs, info.numInputs), (info.outputs, info.numOutputs)))
    return Size(info.size.decode() if info.structBytes >= ctypes.sizeof(_ModelInfo) else "", inputs, outputs, info.workspaceBytes)


def _tensor(info: _TensorInfo) -> Tensor:
    shape = tuple(None if info.shape[axis] == -1 else info.shape[axis] for axis in range(info.rank))
    return Tensor(info.name.decode(), _DTYPES[info.elementType], shape, info.preprocess.decode())
