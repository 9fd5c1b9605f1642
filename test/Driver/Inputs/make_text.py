"""Writes tokens.npz, a text encoder's inputs, and encoder.onnx's weights as a script for make_model.py: make_text.py FOLDER

Words (N, 12) of 50, and a mask of those that count; the weights are seeded.
"""
import pathlib
import sys

import numpy

rng = numpy.random.default_rng(5)
folder = pathlib.Path(sys.argv[1])
words = rng.integers(0, 50, (16, 12))
mask = (numpy.arange(12) < rng.integers(4, 13, (16, 1))).astype(numpy.int64)
numpy.savez(folder / "tokens.npz", words=words * mask, mask=mask)


def constant(name, *shape, scale=1.0, mean=0.0):
    data = (mean + scale * rng.standard_normal(shape)).round(3).ravel().tolist()
    return f'MODEL: constant("{name}", "f32", {list(shape)}, data={data})'


print("\n".join([
    constant("table", 50, 32),
    *(constant(name, 32, 32, scale=0.18) for name in ("query", "key", "value", "out")),
    constant("gain", 32, scale=0.1, mean=1),
    constant("shift", 32, scale=0.1),
]))
