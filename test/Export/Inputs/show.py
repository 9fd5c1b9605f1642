"""Prints an ONNX model, a line for each node: show.py MODEL.onnx

Constants of up to 16 elements stand where they are read, others are named with their type and shape.
"""
import sys

from onnx_model import Model

model = Model(sys.argv[1])


def operand(name):
    if name not in model.constants:
        return name or "-"
    array, kind = model.constants[name], model.types[name]
    if array.size > 16:
        return f"{name}: {kind}{list(array.shape)}"
    return f"{kind} {[round(number, 6) for number in array.tolist()] if array.ndim == 1 else array.tolist()}"


print(f"opset {model.opset}")
for kind, values in (("input", model.inputs), ("output", model.outputs)):
    for value in values:
        print(f"{kind} {value.name}: {value.type}[{', '.join(map(str, value.shape))}]")
for node in model.nodes:
    attributes = ", ".join(f"{name}={value}" for name, value in node.attributes.items())
    print(f"{', '.join(node.outputs)} = {node.type}({'; '.join(map(operand, node.inputs))}) {{{attributes}}}")
