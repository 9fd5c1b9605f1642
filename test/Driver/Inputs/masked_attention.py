#!/usr/bin/env python3
"""Attention of two layers with a float mask as input, against NumPy.

    masked_attention.py model OUT.onnx
    masked_attention.py data OUT.npz KIND        the mask hides by -inf, by lowest (the least f32), by nan, or x has -inf (x), or a row hides all (row)
    masked_attention.py check OUT.npz LEAST      the SQNR in dB, and whether it is as high
    masked_attention.py same A.npz B.npz
"""
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Import" / "Inputs"))
from make_model import Model  # noqa: E402

LENGTH, HEADS, SIZE = 12, 2, 16
WIDTH = HEADS * SIZE
random = np.random.default_rng(5)
WEIGHTS = [{name: (WIDTH**-0.5 * random.standard_normal((WIDTH, WIDTH))).astype(np.float32) for name in ("q", "k", "v", "o")} for _ in range(2)]


def model():
    m = Model()
    m.opset(17)
    m.input("x", "f32", ["batch", LENGTH, WIDTH])
    m.input("mask", "f32", ["batch", 1, 1, LENGTH])
    m.constant("split", "i64", [4], [0, 0, HEADS, SIZE])
    m.constant("join", "i64", [3], [0, 0, WIDTH])
    m.constant("root", "f32", [], [SIZE**0.5])
    x = "x"
    for layer, weights in enumerate(WEIGHTS):
        for name, matrix in weights.items():
            m.constant(f"w{name}{layer}", "f32", [WIDTH, WIDTH], matrix.ravel().tolist())
        for name in "qkv":
            m.node("MatMul", f"{x} w{name}{layer}", f"{name}{layer}")
            m.node("Reshape", f"{name}{layer} split", f"{name}s{layer}")
            m.node("Transpose", f"{name}s{layer}", f"{name}h{layer}", perm=[0, 2, 3, 1] if name == "k" else [0, 2, 1, 3])
        m.node("MatMul", f"qh{layer} kh{layer}", f"s{layer}")
        m.node("Div", f"s{layer} root", f"d{layer}")
        m.node("Add", f"d{layer} mask", f"m{layer}")
        m.node("Softmax", f"m{layer}", f"p{layer}", axis=-1)
        m.node("MatMul", f"p{layer} vh{layer}", f"a{layer}")
        m.node("Transpose", f"a{layer}", f"t{layer}", perm=[0, 2, 1, 3])
        m.node("Reshape", f"t{layer} join", f"j{layer}")
        m.node("MatMul", f"j{layer} wo{layer}", f"o{layer}")
        m.node("Add", f"o{layer} {x}", f"y{layer}")
        x = f"y{layer}"
    m.output(x)
    return m


def samples(kind):
    x = np.random.default_rng(6).standard_normal((32, LENGTH, WIDTH)).astype(np.float32)
    hidden = {"lowest": np.finfo(np.float32).min, "nan": np.nan}.get(kind, -np.inf)
    lengths = np.arange(32) % (LENGTH - 3) + 4 - (kind == "row") * 4
    mask = np.where(np.arange(LENGTH) < lengths[:, None], 0, hidden).astype(np.float32)[:, None, None]
    if kind == "x":
        x[3, 2, 1] = -np.inf
    return x, mask


def expected():
    x, mask = samples("-inf")
    for weights in WEIGHTS:
        q, k, v = ((x @ weights[name]).reshape(-1, LENGTH, HEADS, SIZE).transpose(0, 2, 1, 3) for name in "qkv")
        scores = q @ k.swapaxes(-1, -2) / SIZE**0.5 + mask
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        x = (shares @ v).transpose(0, 2, 1, 3).reshape(x.shape) @ weights["o"] + x
    return x


def main():
    command, path = sys.argv[1:3]
    if command == "model":
        with open(path, "wb") as file:
            file.write(model().serialize())
    elif command == "data":
        x, mask = samples(sys.argv[3])
        np.savez(path, x=x, mask=mask)
    elif command == "check":
        wanted = expected()
        error = np.load(path)["y1"].reshape(wanted.shape) - wanted
        noise = 10 * np.log10((wanted**2).sum() / (error**2).sum())
        print("as exact" if noise >= float(sys.argv[3]) else f"only {noise:.1f} dB")
    else:
        print("same" if (np.load(path)["y1"].view(np.uint32) == np.load(sys.argv[3])["y1"].view(np.uint32)).all() else "different")


if __name__ == "__main__":
    main()
