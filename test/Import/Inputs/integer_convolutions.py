#!/usr/bin/env python3
"""ConvInteger whose input's zero point is found when the model runs, as onnxruntime's quantize_dynamic writes convolutions, against its definition.

    integer_convolutions.py model OUT.onnx DATA.npz
    integer_convolutions.py check DATA.npz RESULT.npz
"""
import sys

import numpy as np

from make_model import Model

# Of the weights: shape, groups; pads, strides, dilations.
CASES = [((8, 4, 3, 3), 1, [1, 1, 1, 1], [1, 1], [1, 1]), ((8, 4, 3, 3), 1, [0, 0, 0, 0], [2, 1], [1, 1]), ((4, 1, 3, 3), 4, [0, 2, 1, 0], [1, 2], [1, 1]),
         ((6, 2, 1, 3), 2, [0, 1, 0, 2], [1, 1], [1, 2]), ((16, 4, 5, 5), 1, [2, 2, 2, 2], [2, 2], [1, 1])]


def weights(index):
    return np.random.default_rng(index).integers(-127, 128, CASES[index][0]).astype(np.int8)


def make_model(path):
    model = Model()
    model.opset(17)
    model.input("x", "f32", [1, 4, 11, 9])
    model.node("DynamicQuantizeLinear", "x", "codes scale zero")
    for index, (shape, groups, pads, strides, dilations) in enumerate(CASES):
        model.constant(f"w{index}", "i8", list(shape), weights(index).ravel().tolist())
        model.node("ConvInteger", f"codes w{index} zero", f"y{index}", name=f"conv{index}", group=groups, pads=pads, strides=strides, dilations=dilations)
        model.output(f"y{index}")
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
    parts = [np.einsum("chwij,ocij->ohw", part, kernel) for part, kernel in zip(np.split(windows, groups), np.split(w.astype(np.int64), groups))]
    return np.concatenate(parts)


def main():
    if sys.argv[1] == "model":
        make_model(sys.argv[2])
        # Zero points at both ends and between.
        x = np.random.default_rng(9).standard_normal((4, 1, 4, 11, 9), np.float32)
        x[1], x[2] = np.abs(x[1]), -np.abs(x[2])
        np.savez(sys.argv[3], x=x)
        return
    wrong, data, results = 0, np.load(sys.argv[2])["x"], np.load(sys.argv[3])
    for index, (_, *attributes) in enumerate(CASES):
        expected = np.stack([convolve(quantize(x[0]), weights(index), *attributes) for x in data])
        got = results[f"y{index}"].reshape(expected.shape)
        if (got != expected).any():
            print(f"case {index}: {(got != expected).sum()} of {expected.size} differ")
            wrong += 1
    print(f"{len(CASES)} cases, {wrong} wrong")


if __name__ == "__main__":
    main()
