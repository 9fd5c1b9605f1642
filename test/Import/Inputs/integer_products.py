#!/usr/bin/env python3
"""ConvInteger and MatMulInteger as onnxruntime's quantize_dynamic writes them, against their definitions: zero points of the input are found when the model
runs, weights are s8, or u8 with zero points.

    integer_products.py model OUT.onnx DATA.npz
    integer_products.py check DATA.npz RESULT.npz
"""
import sys

import numpy as np

from make_model import Model

# Of the weights: shape, groups; pads, strides, dilations.
CASES = [((8, 4, 3, 3), 1, [1, 1, 1, 1], [1, 1], [1, 1]), ((8, 4, 3, 3), 1, [0, 0, 0, 0], [2, 1], [1, 1]), ((4, 1, 3, 3), 4, [0, 2, 1, 0], [1, 2], [1, 1]),
         ((6, 2, 1, 3), 2, [0, 1, 0, 2], [1, 1], [1, 2]), ((16, 4, 5, 5), 1, [2, 2, 2, 2], [2, 2], [1, 1])]


# Weights are s8; u8 with one zero point; u8 with one for each channel.
KINDS = ["s8", "one", "each"]
COLUMNS = 20


def make_weights(seed, shape, kind, axis):
    """Codes and zero points."""
    random = np.random.default_rng(seed)
    if kind == "s8":
        return random.integers(-127, 128, shape).astype(np.int8), np.int8(0)
    zeros = np.uint8(130) if kind == "one" else random.integers(90, 170, shape[axis]).astype(np.uint8)
    return random.integers(0, 256, shape).astype(np.uint8), zeros


def filters(index, kind):
    """Codes, zero points, and what they stand for."""
    codes, zeros = make_weights(index, CASES[index][0], kind, 0)
    return codes, zeros, codes.astype(np.int64) - zeros.astype(np.int64).reshape(-1, 1, 1, 1)


def volumes(kind):
    """The same of three dimensions."""
    codes, zeros = make_weights(11, (3, 2, 2, 3, 3), kind, 0)
    return codes, zeros, codes.astype(np.int64) - zeros.astype(np.int64).reshape(-1, 1, 1, 1, 1)


def matrix(kind):
    codes, zeros = make_weights(7, (9, COLUMNS), kind, 1)
    return codes, zeros, codes.astype(np.int64) - zeros.astype(np.int64)


def add_constant(model, name, array):
    model.constant(name, {"int8": "i8", "uint8": "u8"}[str(array.dtype)], list(array.shape), array.ravel().tolist())
    return name


def make_model(path):
    model = Model()
    model.opset(17)
    model.input("x", "f32", [1, 4, 11, 9])
    model.node("DynamicQuantizeLinear", "x", "codes scale zero")
    model.constant("deep", "i64", [5], data=[1, 2, 2, 11, 9])
    model.node("Reshape", "codes deep", "volume")
    for kind in KINDS:
        for index, (_, groups, pads, strides, dilations) in enumerate(CASES):
            names = [add_constant(model, f"{what}{index}{kind}", x) for what, x in zip("wz", filters(index, kind))]
            attributes = {"group": groups, "pads": pads, "strides": strides, "dilations": dilations}
            model.node("ConvInteger", f"codes {names[0]} zero {names[1]}", f"y{index}{kind}", name=f"conv{index}{kind}", **attributes)
            model.output(f"y{index}{kind}")
        names = [add_constant(model, f"{what}{kind}", x) for what, x in zip("uv", volumes(kind))]
        model.node("ConvInteger", f"volume {names[0]} zero {names[1]}", f"d{kind}", name=f"deep{kind}", pads=[1, 0, 1, 0, 1, 1])
        model.output(f"d{kind}")
        names = [add_constant(model, f"{what}{kind}", x) for what, x in zip("mn", matrix(kind))]
        model.node("MatMulInteger", f"codes {names[0]} zero {names[1]}", f"p{kind}", name=f"product{kind}")
        model.output(f"p{kind}")
    with open(path, "wb") as file:
        file.write(model.serialize())


def quantize(x):
    """DynamicQuantizeLinear's codes minus its zero point."""
    least, greatest = np.minimum(x.min(), 0), np.maximum(x.max(), 0)
    scale = np.float32((greatest - least) / np.float32(255))
    zero = np.clip(np.rint(np.float32(0 - least) / scale), 0, 255)
    return (np.clip(np.rint(x / scale) + zero, 0, 255) - zero).astype(np.int64)


def convolve(x, w, groups, pads, strides, dilations):
    x = np.pad(x, ((0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    span = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilations)]
    windows = np.lib.stride_tricks.sliding_window_view(x, span, axis=(1, 2))[:, ::strides[0], ::strides[1], ::dilations[0], ::dilations[1]]
    parts = [np.einsum("chwij,ocij->ohw", part, kernel) for part, kernel in zip(np.split(windows, groups), np.split(w, groups))]
    return np.concatenate(parts)


def convolve_volume(x, w):
    """Pads of [1, 0, 1, 0, 1, 1] on two channels of two depths."""
    x = np.pad(x.reshape(2, 2, 11, 9), ((0, 0), (1, 0), (0, 1), (1, 1)))
    return np.einsum("cdhwxyz,ocxyz->odhw", np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(1, 2, 3)), w)


def main():
    if sys.argv[1] == "model":
        make_model(sys.argv[2])
        # Zero points at both ends and between.
        x = np.random.default_rng(9).standard_normal((4, 1, 4, 11, 9), np.float32)
        x[1], x[2] = np.abs(x[1]), -np.abs(x[2])
        np.savez(sys.argv[3], x=x)
        return
    data, results, expected = np.load(sys.argv[2])["x"], np.load(sys.argv[3]), {}
    for kind in KINDS:
        for index, (_, *attributes) in enumerate(CASES):
            expected[f"y{index}{kind}"] = np.stack([convolve(quantize(x[0]), filters(index, kind)[2], *attributes) for x in data])
        expected[f"d{kind}"] = np.stack([convolve_volume(quantize(x[0]), volumes(kind)[2]) for x in data])
        expected[f"p{kind}"] = np.stack([quantize(x[0]) @ matrix(kind)[2] for x in data])
    wrong = [name for name, value in expected.items() if (results[name].reshape(value.shape) != value).any()]
    print(f"{len(expected)} results, {len(wrong)} wrong {' '.join(wrong)}")


if __name__ == "__main__":
    main()
