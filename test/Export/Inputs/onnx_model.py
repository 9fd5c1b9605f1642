"""Reads ONNX models without the onnx package: nodes, constants, inputs and outputs."""
import pathlib
import struct
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Python"))
from onnx_tensors import read_tensor  # noqa: E402
from protobuf_wire import fields, signed, varints  # noqa: E402

TYPES = {1: "f32", 2: "u8", 3: "i8", 5: "i16", 6: "i32", 7: "i64", 9: "bool", 11: "f64", 22: "i4"}


class Value:
    """An input or output: its shape has names for sizes that are not known."""

    def __init__(self, data):
        entries = dict(fields(data))
        tensor = dict(fields(dict(fields(entries[2]))[1]))
        dims = [dict(fields(value)) for number, value in fields(tensor.get(2, b"")) if number == 1]
        self.name, self.type = entries[1].decode(), TYPES[tensor[1]]
        self.shape = [dim[1] if 1 in dim else dim[2].decode() for dim in dims]


class Node:
    def __init__(self, data):
        self.inputs, self.outputs, self.attributes = [], [], {}
        for number, value in fields(data):
            if number in (1, 2):
                (self.inputs if number == 1 else self.outputs).append(value.decode())
            elif number == 4:
                self.type = value.decode()
            elif number == 5:
                self.attributes.update([self.attribute(value)])

    @staticmethod
    def attribute(data):
        name, result, ints, kind = "", None, [], 0
        for number, value in fields(data):
            if number == 1:
                name = value.decode()
            elif number == 2:
                result = struct.unpack("<f", value)[0]
            elif number == 3:
                result = signed(value)
            elif number == 4:
                result = value.decode()
            elif number == 8:
                ints += [signed(item) for item in varints(value)]
            elif number == 20:
                kind = value
        return name, ints if kind == 7 else result


def read_constant(data, folder):
    """(name, type, array): 4-bit integers are unpacked, external data is read."""
    name, array = read_tensor(data)
    entries = list(fields(data))
    kind = next(value for number, value in entries if number == 2)
    dims = [item for number, value in entries if number == 1 for item in varints(value)]
    external = {dict(fields(value))[1].decode(): dict(fields(value))[2].decode() for number, value in entries if number == 13}
    if external:
        raw = (folder / external["location"]).read_bytes()[int(external["offset"]):][:int(external["length"])]
        array = numpy.frombuffer(raw, {1: numpy.float32, 3: numpy.int8, 6: numpy.int32}[kind]).reshape(dims)
    if kind == 22:
        packed = numpy.frombuffer(next(value for number, value in entries if number == 9), numpy.uint8)
        halves = numpy.stack([packed & 15, packed >> 4], axis=1).ravel()[:int(numpy.prod(dims))]
        array = (((halves + 8) & 15).astype(numpy.int8) - 8).reshape(dims)
    return name, TYPES[kind], array


class Model:
    def __init__(self, path):
        path = pathlib.Path(path)
        entries = list(fields(path.read_bytes()))
        self.opset = next(dict(fields(value))[2] for number, value in entries if number == 8)
        graph = list(fields(next(value for number, value in entries if number == 7)))
        self.nodes = [Node(value) for number, value in graph if number == 1]
        self.inputs = [Value(value) for number, value in graph if number == 11]
        self.outputs = [Value(value) for number, value in graph if number == 12]
        constants = [read_constant(value, path.parent) for number, value in graph if number == 5]
        self.constants = {name: array for name, _, array in constants}
        self.types = {name: kind for name, kind, _ in constants}
