"""Calls compiled models through halftone_query with ctypes only (include/halftone-c/Artefact.h).

    artefact.py info M.so            the table
    artefact.py layers M.so          the list of layers, checked against the calls of a run
    artefact.py run M.so [BATCH]     outputs for a fixed pattern of inputs
    artefact.py same A.so B.so ...   fails unless all give the same bits for every batch size, serially and in parts, and
                                     whatever the caller's rounding mode is

Every input and output ends where a page ends that is followed by one without access: a byte read or written behind it is
a segmentation fault.
"""
import ctypes as c
import mmap
import sys

MATH = c.CDLL("libm.so.6")
LIBC = c.CDLL(None, use_errno=True)
UPWARD = 0x800  # FE_UPWARD of x86
TYPES = {1: c.c_float, 2: c.c_int8, 3: c.c_uint8, 4: c.c_int32, 5: c.c_int64, 6: c.c_uint8}
NAMES = {1: "f32", 2: "i8", 3: "u8", 4: "i32", 5: "i64", 6: "bool"}


class Tensor(c.Structure):
    _fields_ = [("name", c.c_char_p), ("shape", c.POINTER(c.c_int64)), ("rank", c.c_int32), ("type", c.c_int32),
                ("preprocess", c.c_char_p)]


BODY = c.CFUNCTYPE(None, c.c_void_p, c.c_int64, c.c_int64)
PARALLEL_FOR = c.CFUNCTYPE(None, c.c_void_p, BODY, c.c_void_p, c.c_int64)
RUN = c.CFUNCTYPE(c.c_int32, c.POINTER(c.c_void_p), c.POINTER(c.c_void_p), c.c_int64, c.c_void_p, PARALLEL_FOR,
                  c.c_void_p)


class Layer(c.Structure):
    _fields_ = [("name", c.c_char_p), ("kind", c.c_char_p), ("kernel", c.c_char_p), ("shapes", c.c_char_p),
                ("body", c.c_void_p), ("perSample", c.c_int32), ("calls", c.c_int32),
                ("multiplyAccumulates", c.c_int64), ("readBytes", c.c_int64), ("writtenBytes", c.c_int64),
                ("constantBytes", c.c_int64), ("cost", c.c_char_p)]


class Model(c.Structure):
    _fields_ = [("abiVersion", c.c_uint32), ("structBytes", c.c_uint32), ("name", c.c_char_p), ("target", c.c_char_p),
                ("cpuFeatures", c.c_char_p), ("sourceHash", c.c_char_p), ("compilerVersion", c.c_char_p),
                ("report", c.c_char_p), ("numInputs", c.c_int32), ("numOutputs", c.c_int32),
                ("inputs", c.POINTER(Tensor)), ("outputs", c.POINTER(Tensor)), ("minBatch", c.c_int64),
                ("maxBatch", c.c_int64), ("workspaceBytes", c.c_int64), ("workspaceAlignment", c.c_int64),
                ("constantBytes", c.c_int64), ("run", RUN), ("numLayers", c.c_int32),
                ("layerStructBytes", c.c_int32), ("layers", c.POINTER(Layer)), ("numVariants", c.c_int32),
                ("reserved", c.c_int32), ("variants", c.POINTER(c.c_void_p)), ("costTable", c.c_char_p), ("samples", c.c_int64), ("runSample", RUN),
                ("numSizes", c.c_int32), ("sizesReserved", c.c_int32), ("sizes", c.POINTER(c.c_void_p)), ("size", c.c_char_p)]


def load(path):
    library = c.CDLL(path if "/" in path else "./" + path)
    library.halftone_query.restype = c.POINTER(Model)
    model = library.halftone_query().contents
    assert model.abiVersion == 1 and model.structBytes == c.sizeof(Model), "another version of the table"
    return model


def shape(tensor, batch):
    return [batch if tensor.shape[i] < 0 else tensor.shape[i] for i in range(tensor.rank)]


def count(tensor, batch):
    product = 1
    for extent in shape(tensor, batch):
        product *= extent
    return product


def guarded(element, length):
    """An array of `length` elements, at the end of its memory."""
    size = c.sizeof(element) * length
    pages = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, pages + mmap.PAGESIZE)
    guard = c.addressof(c.c_char.from_buffer(memory)) + pages
    assert LIBC.mprotect(c.c_void_p(guard), c.c_size_t(mmap.PAGESIZE), 0) == 0, "mprotect failed"
    return (element * length).from_buffer(memory, pages - size)


def pattern(tensor, batch, seed):
    """Values of all signs and, for floats, of several magnitudes; the same ones in every process."""
    values = []
    state = seed * 7919 + 1
    for _ in range(count(tensor, batch)):
        state = (state * 1103515245 + 12345) % 2147483648
        number = (state >> 8) % 256 - 128
        if tensor.type == 1:
            values.append(number / 53.0)
        elif tensor.type == 6:
            values.append(number & 1)
        elif tensor.type == 3:
            values.append(number + 128)
        else:
            values.append(number)
    array = guarded(TYPES[tensor.type], len(values))
    array[:] = values
    return array


def run(model, batch, chunks=0, rounding=0, callback=None):
    """The output arrays; chunks > 0 runs parallel loops backwards in ranges of that size; in a rounding mode; or with
    a parallel_for of the caller's."""
    inputs = [pattern(model.inputs[i], batch, i + 1) for i in range(model.numInputs)]
    outputs = [guarded(TYPES[t.type], count(t, batch)) for t in model.outputs[:model.numOutputs]]
    workspace = (c.c_uint8 * (model.workspaceBytes + 64))(*([0x5A] * (model.workspaceBytes + 64)))
    address = (c.addressof(workspace) + 63) // 64 * 64

    def parallel_for(pool, body, context, total):
        assert pool == 42
        for begin in reversed(range(0, total, chunks)):
            body(context, begin, min(begin + chunks, total))

    pointers = lambda arrays: (c.c_void_p * max(len(arrays), 1))(*[c.addressof(a) for a in arrays])
    callback = callback or (PARALLEL_FOR(parallel_for) if chunks else PARALLEL_FOR())
    arguments = (pointers(inputs), pointers(outputs), batch, address, callback, 42)
    MATH.fesetround(rounding)
    status = model.run(*arguments)
    after = MATH.fegetround()
    MATH.fesetround(0)
    assert after == rounding, "the caller's rounding mode is lost"
    return status, outputs


def info(model):
    print("model", model.name.decode(), "target", model.target.decode(), "needs", model.cpuFeatures.decode())
    print("source", model.sourceHash.decode(), "batch", model.minBatch, model.maxBatch, "constants",
          model.constantBytes, "workspace", model.workspaceBytes, "alignment", model.workspaceAlignment)
    for what, tensors, number in (("input", model.inputs, model.numInputs), ("output", model.outputs, model.numOutputs)):
        for t in tensors[:number]:
            print(what, t.name.decode(), NAMES[t.type], [t.shape[i] for i in range(t.rank)], t.preprocess.decode())


def layers(model):
    """Prints the list; fails unless a run calls the bodies in its order, each once."""
    called = []

    def parallel_for(pool, body, context, total):
        called.append(c.cast(body, c.c_void_p).value)
        body(context, 0, total)

    run(model, model.minBatch, callback=PARALLEL_FOR(parallel_for))
    assert model.layerStructBytes == c.sizeof(Layer), "another version of the list of layers"
    assert called == [layer.body for layer in model.layers[:model.numLayers]], "the list is not what runs"
    for layer in model.layers[:model.numLayers]:
        print(layer.name.decode() or "-", "|", layer.kind.decode(), "|", layer.kernel.decode(), "|",
              layer.shapes.decode(), "| per sample" if layer.perSample else "| whatever the batch", "|",
              layer.multiplyAccumulates, "multiply-accumulates, reads", layer.readBytes, "writes", layer.writtenBytes,
              "constants", layer.constantBytes)


def main(command, *arguments):
    if command == "layers":
        return layers(load(arguments[0]))
    if command == "info":
        return info(load(arguments[0]))
    if command == "run":
        status, outputs = run(load(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1)
        print("status", status)
        for output in outputs:
            print(" ".join(f"{value:.7g}" for value in output))
        return None
    models = [load(path) for path in arguments]
    if command == "differ":
        pairs = list(zip(*(run(model, model.minBatch)[1] for model in models)))
        for i, (a, b) in enumerate(pairs):
            assert bytes(a) != bytes(b), f"output {i} ({models[0].outputs[i].name.decode()}) does not show the fault"
        return print("the fault shows in all of", len(pairs), "outputs")
    for batch in range(models[0].minBatch, models[0].maxBatch + 1):
        expected = [bytes(o) for o in run(models[0], batch)[1]]
        for path, model in zip(arguments, models):
            for chunks in (0, 1, 3):
                status, outputs = run(model, batch, chunks, rounding=UPWARD if chunks == 1 else 0)
                assert status == 0, f"{path}: status {status} for batch {batch}"
                for i, output in enumerate(outputs):
                    assert bytes(output) == expected[i], f"{path}: output {i} differs for batch {batch}, chunks {chunks}"
    for outside in (models[0].minBatch - 1, models[0].maxBatch + 1):
        assert run(models[0], outside)[0] == 1, f"batch {outside} was accepted"
    print("same bits:", len(models), "artefacts")
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
