#!/usr/bin/env python3
"""Writes the ONNX model that the `MODEL:` lines of a test describe: make_model.py TEST OUT.onnx

The lines are Python, with these calls:
    opset(17)                                          also other domains: opset(1, "com.example")
    input("x", "f32", [1, 3, 8, 8])                    a name for a symbolic size: ["batch", 4]
    constant("w", "f32", [4, 3, 1, 1], data=[...])     without data: 0.25 * (index % 7 - 3)
    external("w", "f32", [4], location="w.bin", offset=0, length=16)
    node("Conv", "x w", "y", pads=[1, 1, 1, 1])        "" as a name: write `-`
    node("If", "c", "y", then_branch=branch(("Relu", "x", "r")), else_branch=...)   the last node's outputs are the branch's
    function("domain", "F", "x", "y", ("LeakyRelu", "x", "y", "", "", {"alpha": Reference("slope", 1)}), slope=0.5)
                                                       nodes are the arguments of `node`, with attributes as a dictionary; what is named is a default
    node("Loop", "m c x", "y", body=branch(("Relu", "v", "w"), inputs=[("i", "i64", []), ...], outputs="c w"))
    output("y")                                        or with its type, as an input
"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Python"))
from protobuf_wire import message, write_varint  # noqa: E402

TYPES = {"f32": (1, "f"), "u8": (2, "B"), "i8": (3, "b"), "i32": (6, "i"), "i64": (7, "q"), "bool": (9, "B"),
         "f16": (10, "H"), "bf16": (16, "H"), "c64": (14, "Q"), "f64": (11, "d"), "i16": (5, "h"), "u16": (4, "H"),
         "i4": (22, "B"), "u4": (21, "B"), "f4e2m1": (23, "B"),  # two elements in a byte, which the test packs
         "f8e4m3fn": (17, "B"), "f8e4m3fnuz": (18, "B"), "f8e5m2": (19, "B"), "f8e5m2fnuz": (20, "B")}


def number(field, value):
    return write_varint(field << 3) + write_varint(value % (1 << 64))


def text(field, value):
    return message(field, value.encode())


def attribute(name, value):
    """An AttributeProto: int, float, str, a list of ints, floats or str, a serialized tensor, or a branch."""
    body = text(1, name)
    if isinstance(value, Reference):
        return body + text(21, value.name) + number(20, value.kind)
    if isinstance(value, Branch):
        return body + message(6, value.graph) + number(20, 5)
    if isinstance(value, bytes):
        return body + message(5, value) + number(20, 4)
    if isinstance(value, str):
        return body + text(4, value) + number(20, 3)
    if isinstance(value, float):
        return body + write_varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1)
    if isinstance(value, int):
        return body + number(3, value) + number(20, 2)
    if isinstance(value[0], str):
        return body + b"".join(message(9, item.encode()) for item in value) + number(20, 8)
    if isinstance(value[0], float):
        return body + b"".join(write_varint(7 << 3 | 5) + struct.pack("<f", item) for item in value) + number(20, 6)
    return body + b"".join(number(8, item) for item in value) + number(20, 7)


class Reference:
    """An attribute of a function's call, by its name and AttributeProto.AttributeType."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind


class Branch:
    """The graph of nodes, each the arguments of `node`."""

    def __init__(self, *nodes, inputs=(), outputs=None):
        model = Model()
        for value in inputs:
            model.input(*value)
        for node in nodes:
            model.node(*node)
        for output in (outputs or nodes[-1][2]).split():
            model.output(output)
        self.graph = model.graph


class Model:
    """The pieces of a ModelProto, filled by the calls of the test."""

    def __init__(self):
        self.opsets = {}
        self.graph = text(2, "graph")
        self.functions = b""

    def opset(self, version, domain=""):
        self.opsets[domain] = version

    def value(self, field, name, kind, shape):
        dims = b"".join(message(1, text(2, s) if isinstance(s, str) else number(1, s)) for s in shape)
        tensor = number(1, TYPES[kind][0]) + message(2, dims)
        self.graph += message(field, text(1, name) + message(2, message(1, tensor)))

    def input(self, name, kind, shape):
        self.value(11, name, kind, shape)

    def output(self, name, kind=None, shape=None):
        if kind:
            self.value(12, name, kind, shape)
        else:
            self.graph += message(12, text(1, name))

    @staticmethod
    def tensor(name, kind, shape, data=None):
        count = 1
        for size in shape:
            count *= size
        if data is None:
            data = [0.25 * (i % 7 - 3) for i in range(count)]
        code, letter = TYPES[kind]
        return (b"".join(number(1, s) for s in shape) + number(2, code) + text(8, name) +
                message(9, struct.pack(f"<{len(data)}{letter}", *data)))

    def constant(self, name, kind, shape, data=None):
        self.graph += message(5, self.tensor(name, kind, shape, data))

    def external(self, name, kind, shape, **entries):
        body = b"".join(number(1, s) for s in shape) + number(2, TYPES[kind][0]) + text(8, name)
        for key, entry in entries.items():
            body += message(13, text(1, key) + text(2, str(entry)))
        self.graph += message(5, body + number(14, 1))

    def function(self, domain, name, inputs, outputs, *nodes, **defaults):
        body = text(1, name) + text(10, domain)
        body += b"".join(text(4, i) for i in inputs.split()) + b"".join(text(5, o) for o in outputs.split())
        body += b"".join(message(7, self.node_body(*node[:5], **(node[5] if len(node) > 5 else {}))) for node in nodes)
        body += b"".join(message(9, text(1, d) + number(2, v)) for d, v in self.opsets.items())
        self.functions += message(25, body + b"".join(message(11, attribute(key, value)) for key, value in defaults.items()))

    def node(self, *arguments, **attributes):
        self.graph += message(1, self.node_body(*arguments, **attributes))

    @staticmethod
    def node_body(kind, inputs, outputs, name="", domain="", **attributes):
        body = b"".join(text(1, "" if i == "-" else i) for i in inputs.split())
        body += b"".join(text(2, "" if o == "-" else o) for o in outputs.split())
        body += text(3, name) + text(4, kind) + text(7, domain)
        return body + b"".join(message(5, attribute(key, value)) for key, value in attributes.items())

    def serialize(self):
        opsets = b"".join(message(8, text(1, d) + number(2, v)) for d, v in (self.opsets or {"": 17}).items())
        return number(1, 8) + message(7, self.graph) + opsets + self.functions


def main(source, target):
    lines = [line.split("MODEL:", 1)[1].strip() for line in open(source) if "MODEL:" in line]
    model = Model()
    calls = {name: getattr(model, name) for name in ("opset", "input", "output", "constant", "external", "function", "node", "tensor")}
    calls["branch"], calls["Reference"] = Branch, Reference
    exec("\n".join(lines), calls)
    with open(target, "wb") as file:
        file.write(model.serialize())


if __name__ == "__main__":
    main(*sys.argv[1:])
