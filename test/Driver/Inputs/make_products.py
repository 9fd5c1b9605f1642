"""y = Relu(x * w1) * w2, 64 channels wide, as a text of ONNX, and samples for it, into the folder given."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(2)


def weights(name):
    values = " ".join(f"float_data: {value:.6g}" for value in rng.standard_normal(64 * 64))
    return f'initializer {{ name: "{name}" data_type: 1 dims: 64 dims: 64 {values} }}'


def value(kind, name):
    shape = 'shape { dim { dim_value: 1 } dim { dim_value: 64 } }'
    return f'{kind} {{ name: "{name}" type {{ tensor_type {{ elem_type: 1 {shape} }} }} }}'


(folder / "products.textproto").write_text("\n".join([
    "ir_version: 8 opset_import { version: 17 }", 'graph { name: "products"',
    'node { op_type: "MatMul" name: "first" input: "x" input: "w1" output: "h" }',
    'node { op_type: "Relu" name: "relu" input: "h" output: "r" }',
    'node { op_type: "MatMul" name: "second" input: "r" input: "w2" output: "y" }',
    weights("w1"), weights("w2"), value("input", "x"), value("output", "y"), "}"]))
x = rng.standard_normal((24, 64)).astype(np.float32)
np.savez(folder / "x.npz", x=x)
np.savez(folder / "search.npz", x=x[:16])
