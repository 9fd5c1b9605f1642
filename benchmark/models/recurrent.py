#!/usr/bin/env python3
"""Two LSTM layers of 128 states over 40 inputs, with seeded weights, as ONNX for a number of steps, and samples: what grows with the steps.

    python benchmark/models/recurrent.py -o build/models 20 100 400

Writes recurrent-STEPS.onnx, with input `x` of STEPS x 1 x 40 and output `y` of STEPS x 10, and recurrent-STEPS.npz, 8 samples.
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUTS, STATES, OUTPUTS, SAMPLES = 40, 128, 10, 8


def write_recurrent(path, steps):
    random = np.random.default_rng(0)
    bound = STATES ** -0.5
    shapes = {}
    for layer, width in enumerate((INPUTS, STATES)):
        shapes |= {f"w{layer}": (1, 4 * STATES, width), f"r{layer}": (1, 4 * STATES, STATES), f"b{layer}": (1, 8 * STATES)}
    shapes["classify"] = (STATES, OUTPUTS)
    constants = [numpy_helper.from_array(random.uniform(-bound, bound, shape).astype(np.float32), name) for name, shape in shapes.items()]
    constants.append(numpy_helper.from_array(np.array([steps, STATES]), "rows"))
    nodes, source = [], "x"
    for layer in (0, 1):
        nodes += [helper.make_node("LSTM", [source, f"w{layer}", f"r{layer}", f"b{layer}"], [f"h{layer}"], name=f"lstm{layer}", hidden_size=STATES),
                  helper.make_node("Squeeze", [f"h{layer}", "axis"], [f"s{layer}"])]
        source = f"s{layer}"
    nodes += [helper.make_node("Reshape", [source, "rows"], ["last"]), helper.make_node("MatMul", ["last", "classify"], ["y"], name="classify")]
    constants.append(numpy_helper.from_array(np.array([1]), "axis"))
    graph = helper.make_graph(nodes, "recurrent", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [steps, 1, INPUTS])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [steps, OUTPUTS])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    np.savez(path.with_suffix(".npz"), x=random.standard_normal((SAMPLES, steps, 1, INPUTS)).astype(np.float32))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("steps", nargs="+", type=int)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for steps in options.steps:
        write_recurrent(options.folder / f"recurrent-{steps}.onnx", steps)


if __name__ == "__main__":
    main()
