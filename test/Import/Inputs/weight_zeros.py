#!/usr/bin/env python3
"""QDQ models whose weights are u8 with zero points that signed bytes do not hold, against their definition.

    weight_zeros.py model OUT.onnx DATA.npz
    weight_zeros.py check DATA.npz RESULT.npz
"""
import sys

import numpy as np
from integer_products import CASES, COLUMNS, add_constant, convolve, filters, matrix

from make_model import Model

SCALE, ZERO = np.float32(0.0173), 117
KINDS = ["one", "each"]
READERS = ["codes", "floats"]


def weight_scales(kind, channels):
    return np.float32(0.011) * (1 if kind == "one" else 1 + np.arange(channels, dtype=np.float32) % 5)


def add_weights(model, name, kind, codes, zeros, axis):
    """The name of the weights behind DequantizeLinear."""
    scales = weight_scales(kind, codes.shape[axis])
    model.constant("s" + name, "f32", list(np.shape(scales)), np.ravel(scales).tolist())
    operands = [add_constant(model, "w" + name, codes), "s" + name, add_constant(model, "z" + name, zeros)]
    model.node("DequantizeLinear", " ".join(operands), "d" + name, axis=axis)
    return "d" + name


def make_model(path):
    model = Model()
    model.opset(17)
    model.input("floats", "f32", [1, 4, 11, 9])
    model.constant("scale", "f32", [], [float(SCALE)])
    model.constant("zero", "u8", [], [ZERO])
    model.node("QuantizeLinear", "floats scale zero", "rounded")
    model.node("DequantizeLinear", "rounded scale zero", "codes")
    for kind in KINDS:
        filtered = [add_weights(model, f"{index}{kind}", kind, *filters(index, kind)[:2], 0) for index in range(len(CASES))]
        multiplied = add_weights(model, kind, kind, *matrix(kind)[:2], 1)
        for reader in READERS:
            for index, (_, groups, pads, strides, dilations) in enumerate(CASES):
                attributes = {"group": groups, "pads": pads, "strides": strides, "dilations": dilations}
                name = f"y{index}{kind}{reader}"
                model.node("Conv", f"{reader} {filtered[index]}", name, name=name, **attributes)
                model.output(name)
            model.node("MatMul", f"{reader} {multiplied}", f"p{kind}{reader}", name=f"p{kind}{reader}")
            model.output(f"p{kind}{reader}")
    with open(path, "wb") as file:
        file.write(model.serialize())


def main():
    if sys.argv[1] == "model":
        make_model(sys.argv[2])
        np.savez(sys.argv[3], floats=np.random.default_rng(9).standard_normal((3, 1, 4, 11, 9), np.float32))
        return
    data, results, expected = np.load(sys.argv[2])["floats"].astype(np.float64), np.load(sys.argv[3]), {}
    codes = (np.clip(np.rint(data.astype(np.float32) / SCALE) + ZERO, 0, 255) - ZERO) * np.float64(SCALE)
    for kind in KINDS:
        for reader, inputs in zip(READERS, [codes, data]):
            for index, (shape, *attributes) in enumerate(CASES):
                weights = filters(index, kind)[2] * np.float64(weight_scales(kind, shape[0])).reshape(-1, 1, 1, 1)
                expected[f"y{index}{kind}{reader}"] = np.stack([convolve(x[0], weights, *attributes) for x in inputs])
            weights = matrix(kind)[2] * np.float64(weight_scales(kind, COLUMNS))
            expected[f"p{kind}{reader}"] = np.stack([x[0] @ weights for x in inputs])
    wrong = [name for name, value in expected.items() if not np.allclose(results[name].reshape(value.shape), value, rtol=1e-5, atol=1e-4)]
    print(f"{len(expected)} results, {len(wrong)} wrong {' '.join(wrong)}")


if __name__ == "__main__":
    main()
