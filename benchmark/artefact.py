"""Loads a compiled model with ctypes, from include/halftone-c/Artefact.h alone.

The shared library has no dependency, so nothing of Halftone needs to be
installed or built to run one.
"""

import ctypes

import numpy as np

ABI_VERSION = 1
ELEMENT_TYPES = {1: np.float32, 2: np.int8, 3: np.uint8, 4: np.int32, 5: np.int64,
                 6: np.bool_}


class TensorInfo(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("rank", ctypes.c_int32), ("elementType", ctypes.c_int32),
                ("preprocess", ctypes.c_char_p)]

    def extents(self, batch):
        sizes = [self.shape[i] for i in range(self.rank)]
        return [batch if size < 0 else size for size in sizes]


POINTERS = ctypes.POINTER(ctypes.c_void_p)
RUN = ctypes.CFUNCTYPE(ctypes.c_int32, POINTERS, POINTERS, ctypes.c_int64,
                       ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class ModelTable(ctypes.Structure):
    _fields_ = [("abiVersion", ctypes.c_uint32), ("structBytes", ctypes.c_uint32),
                ("name", ctypes.c_char_p), ("target", ctypes.c_char_p),
                ("cpuFeatures", ctypes.c_char_p), ("sourceHash", ctypes.c_char_p),
                ("compilerVersion", ctypes.c_char_p), ("report", ctypes.c_char_p),
                ("numInputs", ctypes.c_int32), ("numOutputs", ctypes.c_int32),
                ("inputs", ctypes.POINTER(TensorInfo)),
                ("outputs", ctypes.POINTER(TensorInfo)),
                ("minBatch", ctypes.c_int64), ("maxBatch", ctypes.c_int64),
                ("workspaceBytes", ctypes.c_int64), ("workspaceAlignment", ctypes.c_int64),
                ("constantBytes", ctypes.c_int64), ("run", RUN)]


def aligned(shape, dtype, alignment=64):
    """A zeroed array whose first byte is at a multiple of `alignment`."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + alignment, np.uint8)
    start = -raw.ctypes.data % alignment
    return raw[start:start + size].view(dtype).reshape(shape)


class Artefact:
    """A loaded model, with buffers for one batch size; runs on this thread."""

    def __init__(self, path, batch=1):
        self.shared = ctypes.CDLL(str(path))
        self.shared.halftone_query.restype = ctypes.POINTER(ModelTable)
        self.table = self.shared.halftone_query().contents
        if self.table.abiVersion != ABI_VERSION:
            raise SystemExit(f"{path}: ABI version {self.table.abiVersion}, "
                             f"this script knows {ABI_VERSION}")
        if not self.table.minBatch <= batch <= self.table.maxBatch:
            raise SystemExit(f"{path}: batch {batch} is outside "
                             f"{self.table.minBatch}..{self.table.maxBatch}")
        self.batch = batch
        self.inputs = self.buffers(self.table.inputs, self.table.numInputs)
        self.outputs = self.buffers(self.table.outputs, self.table.numOutputs)
        self.workspace = aligned((max(self.table.workspaceBytes, 1),), np.uint8,
                                 max(self.table.workspaceAlignment, 64))
        self.input_pointers = self.pointers(self.inputs)
        self.output_pointers = self.pointers(self.outputs)

    def buffers(self, infos, count):
        return {infos[i].name.decode(): aligned(infos[i].extents(self.batch),
                                                ELEMENT_TYPES[infos[i].elementType])
                for i in range(count)}

    @staticmethod
    def pointers(arrays):
        return (ctypes.c_void_p * len(arrays))(*[a.ctypes.data for a in arrays.values()])

    def set_inputs(self, feeds):
        for name, buffer in self.inputs.items():
            buffer[...] = feeds[name]

    def run(self):
        """One inference, serially, from `inputs` into `outputs`."""
        status = self.table.run(self.input_pointers, self.output_pointers, self.batch,
                                self.workspace.ctypes.data, None, None)
        if status:
            raise SystemExit(f"the model's run returned {status}")


class Buffer(ctypes.Structure):
    """HalftoneBuffer of include/halftone-c/Runtime.h."""
    _fields_ = [("name", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("rank", ctypes.c_int32), ("elementType", ctypes.c_int32),
                ("data", ctypes.c_void_p)]


class LayerInfo(ctypes.Structure):
    """The first fields of HalftoneLayerInfo."""
    _fields_ = [("name", ctypes.c_char_p), ("kind", ctypes.c_char_p),
                ("kernel", ctypes.c_char_p), ("shapes", ctypes.c_char_p),
                ("body", ctypes.c_void_p), ("perSample", ctypes.c_int32),
                ("reserved", ctypes.c_int32), ("multiplyAccumulates", ctypes.c_int64)]


class Session:
    """A model in libhalftone_runtime: checks, threads, one session of one batch size.
    `module` of another Session shares its module."""

    def __init__(self, library, path, threads=1, batch=1, module=None):
        self.shared = ctypes.CDLL(str(library))
        self.shared.halftone_last_error.restype = ctypes.c_char_p
        self.shared.halftone_module_info.restype = ctypes.POINTER(ModelTable)
        self.shared.halftone_module_layer.restype = ctypes.POINTER(LayerInfo)
        self.module = module or ctypes.c_void_p()
        if not module:
            options = (ctypes.c_int32 * 1)(threads)
            self.check(self.shared.halftone_module_load(str(path).encode(), options,
                                                         ctypes.byref(self.module)))
        self.session = ctypes.c_void_p()
        self.check(self.shared.halftone_session_create(self.module,
                                                        ctypes.byref(self.session)))
        table = self.shared.halftone_module_info(self.module).contents
        self.shapes = []  # keeps the extents alive that the buffers point to
        self.inputs, self.input_buffers = self.buffers(table.inputs, table.numInputs, batch)
        self.outputs, self.output_buffers = self.buffers(table.outputs, table.numOutputs, batch)

    def check(self, status):
        if status:
            raise SystemExit(self.shared.halftone_last_error().decode())

    def buffers(self, infos, count, batch):
        arrays, buffers = {}, (Buffer * count)()
        for i in range(count):
            info = infos[i]
            extents = info.extents(batch)
            array = aligned(extents, ELEMENT_TYPES[info.elementType])
            shape = (ctypes.c_int64 * len(extents))(*extents)
            self.shapes.append(shape)
            arrays[info.name.decode()] = array
            buffers[i] = Buffer(info.name, shape, info.rank, info.elementType,
                                array.ctypes.data)
        return arrays, buffers

    def set_inputs(self, feeds):
        for name, buffer in self.inputs.items():
            buffer[...] = feeds[name]

    def run(self):
        self.check(self.shared.halftone_session_run(
            self.session, self.input_buffers, len(self.input_buffers),
            self.output_buffers, len(self.output_buffers)))

    def layers(self):
        """The LayerInfo of each layer, in the order of running."""
        count = self.shared.halftone_module_num_layers(self.module)
        return [self.shared.halftone_module_layer(self.module, i).contents
                for i in range(count)]

    def layer_nanoseconds(self, count):
        """The time of each layer, the mean of `count` runs."""
        layers = self.shared.halftone_module_num_layers(self.module)
        times = (ctypes.c_int64 * (layers + 1))()
        for _ in range(count):
            self.check(self.shared.halftone_session_run_profiled(
                self.session, self.input_buffers, len(self.input_buffers),
                self.output_buffers, len(self.output_buffers), times))
        return [time / count for time in times[:layers]]
