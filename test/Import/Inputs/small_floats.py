#!/usr/bin/env python3
"""ONNX's floats of 8 and 4 bits against their definition: all codes, and the rounding to them.

    small_floats.py model OUT.onnx DATA.npz     every code as initializer, and casts of what is near to each number
    small_floats.py check RESULT.npz            what it gave, bit for bit
"""
import sys

import numpy as np

from make_model import TYPES, Model

# Bits of the exponent and the fraction, the exponent's bias, infinity, and whether the only NaN is what would be -0.
FORMATS = {"f8e4m3fn": (4, 3, 7, False, False), "f8e4m3fnuz": (4, 3, 8, False, True), "f8e5m2": (5, 2, 15, True, False), "f8e5m2fnuz": (5, 2, 16, False, True)}


def decode(kind):
    """What each code stands for."""
    exponents, fractions, bias, has_infinity, has_one_nan = FORMATS[kind]
    numbers = []
    for code in range(256):
        sign = -1.0 if code >> 7 else 1.0
        exponent, fraction = code >> fractions & (1 << exponents) - 1, code & (1 << fractions) - 1
        value = sign * (fraction + (1 << fractions if exponent else 0)) * 2.0 ** (max(exponent, 1) - bias - fractions)
        if has_one_nan:
            value = np.nan if code == 128 else value
        elif has_infinity and exponent == (1 << exponents) - 1:
            value = np.nan if fraction else sign * np.inf
        elif not has_infinity and code & 127 == 127:
            value = np.nan
        numbers.append(value)
    return np.array(numbers)


def round_to(kind, x, saturate):
    """The nearest number of the type, that of the even code of two: looked for among all, with a number more behind the greatest."""
    numbers = decode(kind)
    codes = np.array([code for code in range(128) if np.isfinite(numbers[code])])
    table, greatest = numbers[codes], numbers[codes].max()
    table = np.append(table, 2 * table[-1] - table[-2])  # what would follow
    size = np.minimum(np.abs(x.astype(np.float64)), 1e30)
    above = np.clip(np.searchsorted(table, size), 1, len(table) - 1)
    low, high = table[above - 1], table[above]
    isHigh = (size - low > high - size) | ((size - low == high - size) & (above % 2 == 0)) | (size > table[-1])
    rounded = np.where(isHigh, high, low)
    beyond = np.inf if FORMATS[kind][3] else np.nan
    rounded = np.where(rounded > greatest, greatest if saturate else beyond, rounded)
    rounded = np.where(np.isinf(x), greatest if saturate else beyond, rounded)
    result = np.copysign(rounded, x)
    return np.where(result == 0, 0.0, result) if FORMATS[kind][4] else result


def near(kind):
    """Each number, what lies half-way, their neighbours in f32, and what is far away."""
    numbers = decode(kind)
    numbers = np.unique(numbers[np.isfinite(numbers)])
    step = numbers[-1] - numbers[-2]
    points = np.concatenate([numbers, (numbers[1:] + numbers[:-1]) / 2, [numbers[-1] + step / 2, numbers[0] - step / 2, numbers[-1] + step, numbers[0] - step]])
    points = points.astype(np.float32)
    points = np.concatenate([points, np.nextafter(points, np.float32(np.inf)), np.nextafter(points, np.float32(-np.inf)),
                             np.array([1e-30, -1e-30, -0.0, 1e30, -1e30, 3e38, -3e38, 70000, -500, 0.3, 123.4], np.float32)])
    return points[:len(points) // 4 * 4]


def cases():
    model, data, expected = Model(), {}, {}
    model.opset(23)
    zero = np.zeros(1, np.float32)
    model.input("zero", "f32", [1])
    data["zero"] = zero[None]
    all_codes = list(range(256))

    def give(name, tensor, value):
        """`tensor` plus 0, which a run has to compute."""
        model.node("Add", f"{tensor} zero", name)
        model.output(name)
        expected[name] = (value + np.float32(0)).astype(np.float32)

    for kind in FORMATS:
        numbers = decode(kind).astype(np.float32)
        model.constant(kind, kind, [16, 16], all_codes)
        model.node("Cast", kind, kind + ".f", to=1)
        give(kind + ".cast", kind + ".f", numbers.reshape(16, 16))
        scales = (0.1 + np.arange(16) / 7).astype(np.float32)
        model.constant(kind + ".scales", "f32", [16], scales.tolist())
        model.constant(kind + ".zeros", kind, [16], [0] * 16)
        model.node("DequantizeLinear", f"{kind} {kind}.scales {kind}.zeros", kind + ".d", axis=0)
        give(kind + ".axis", kind + ".d", numbers.reshape(16, 16) * scales[:, None])
        model.node("Transpose", kind, kind + ".t", perm=[1, 0])
        model.constant(kind + ".two", "f32", [4, 16], (scales[:4, None] * np.ones(16)).ravel().tolist())
        model.node("DequantizeLinear", f"{kind}.t {kind}.two", kind + ".b", axis=0, block_size=4)
        give(kind + ".blocks", kind + ".b", numbers.reshape(16, 16).T * np.repeat(scales[:4], 4)[:, None])
        points = near(kind)
        model.input(kind + ".x", "f32", [len(points)])
        data[kind + ".x"] = points[None]
        model.constant(kind + ".huge", "f32", [1], [1e38])
        model.node("Mul", f"{kind}.x {kind}.huge", kind + ".far")  # infinities among them
        far = (points.astype(np.float64) * np.float32(1e38)).astype(np.float32)
        model.constant(kind + ".scale", "f32", [], [0.37])
        model.constant(kind + ".zero", kind, [], [0])
        model.constant(kind + ".p", "f32", [len(points)], points.tolist())
        with np.errstate(over="ignore"):
            for saturate in (0, 1):
                end = str(saturate)
                for name, x in ((".x", points), (".far", far), (".p", points)):
                    part = kind + name + end
                    model.node("Cast", kind + name, part + "c", to=TYPES[kind][0], saturate=saturate)
                    model.node("Cast", part + "c", part + "f", to=1)
                    give(part + ".rounded", part + "f", round_to(kind, x, saturate))
                for name in (".x", ".p"):
                    part = kind + name + end
                    model.node("QuantizeLinear", f"{kind}{name} {kind}.scale {kind}.zero", part + "q", saturate=saturate)
                    model.constant(part + ".shape", "i64", [2], [4, len(points) // 4])
                    model.node("Reshape", f"{part}q {part}.shape", part + "r")
                    model.node("DequantizeLinear", f"{part}r {kind}.scale", part + "d")
                    rounded = round_to(kind, points / np.float32(0.37), saturate).astype(np.float32) * np.float32(0.37)
                    give(part + ".pair", part + "d", rounded.reshape(4, -1))
    model.constant("f4", "f4e2m1", [16], [low | low + 1 << 4 for low in range(0, 16, 2)])
    model.node("Cast", "f4", "f4.f", to=1)
    sizes = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], np.float32)
    give("f4.cast", "f4.f", np.concatenate([sizes, -sizes]))
    model.constant("f4.scales", "f32", [4], [0.5, 1, 3, 0.1])
    model.node("DequantizeLinear", "f4 f4.scales", "f4.d", axis=0, block_size=4)
    give("f4.blocks", "f4.d", np.concatenate([sizes, -sizes]) * np.repeat(np.array([0.5, 1, 3, 0.1], np.float32), 4))
    return model, data, expected


def main():
    model, data, expected = cases()
    if sys.argv[1] == "model":
        with open(sys.argv[2], "wb") as file:
            file.write(model.serialize())
        np.savez(sys.argv[3], **data)
        return
    result, wrong = np.load(sys.argv[2]), 0
    for name, value in expected.items():
        got = result[name].reshape(value.shape)
        bad = ~((got.view(np.uint32) == value.view(np.uint32)) | (np.isnan(got) & np.isnan(value)))
        if bad.any():
            print(f"{name}: {bad.sum()} of {bad.size} wrong, as {got[bad][0]} for {value[bad][0]}")
            wrong += 1
    print(f"{len(expected)} results, {wrong} wrong")


if __name__ == "__main__":
    main()
