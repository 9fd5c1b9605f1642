"""Reads ONNX's test data and edits its models without the onnx package."""
import numpy

from protobuf_wire import fields, message, signed, varints, write_varint

# TensorProto.DataType of the types that the tests have.
DTYPES = {1: numpy.float32, 2: numpy.uint8, 3: numpy.int8, 6: numpy.int32, 7: numpy.int64, 9: numpy.bool_,
          11: numpy.float64}


def read_tensor(data):
    """(name, array) of a serialized TensorProto; the array is None for an element type that is not in DTYPES."""
    dims, kind, raw, name, floats, integers, doubles = [], 0, None, "", b"", [], b""
    for number, value in fields(data):
        if number == 1:
            dims += varints(value)
        elif number == 2:
            kind = value
        elif number == 4:
            floats += value
        elif number in (5, 7):
            integers += [signed(n) for n in varints(value)]
        elif number == 8:
            name = value.decode()
        elif number == 9:
            raw = value
        elif number == 10:
            doubles += value
    if kind not in DTYPES:
        return name, None
    dtype = numpy.dtype(DTYPES[kind])
    if raw is None:
        raw = floats or doubles or numpy.array(integers).astype(dtype).tobytes()
    return name, numpy.frombuffer(raw, dtype).reshape(dims)


def graph_of(model):
    return next(value for number, value in fields(model) if number == 7)


def input_names(model):
    """The names of the graph's inputs."""
    infos = [value for number, value in fields(graph_of(model)) if number == 11]
    return [next(v for n, v in fields(info) if n == 1).decode() for info in infos]


def operators(model):
    """The set of operator names in the graph."""
    nodes = [value for number, value in fields(graph_of(model)) if number == 1]
    return {next(v for n, v in fields(node) if n == 4).decode() for node in nodes}


def freeze_input(model, name, tensor):
    """The model with the serialized tensor as the initializer of its input `name`: protobuf merges a repeated graph."""
    kept = b"".join(write_varint(n << 3) + write_varint(v) if isinstance(v, int) else message(n, v)
                    for n, v in fields(tensor) if n not in (4, 8, 10))
    floats = b"".join(v for n, v in fields(tensor) if n == 4)
    initializer = kept + (message(4, floats) if floats else b"") + message(8, name.encode())
    return model + message(7, message(5, initializer))
