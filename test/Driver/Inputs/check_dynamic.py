"""Rule A19 of docs/Arithmetic.md for product.textproto, computed here: the outputs are equal bit for bit.

check_dynamic.py SAMPLES OUTPUTS
"""
import sys

import numpy as np

f32 = np.float32
weights = np.array([[0.5, -1, 0.25], [1, 0.75, -0.5], [-0.25, 0.5, 1], [0.125, -0.75, 0.5]], f32)
step = f32(1) / f32(127)  # of each column: its largest magnitude is 1
codes_w = np.rint(weights / step).astype(np.int64)
with np.load(sys.argv[1]) as samples:
    x = samples["x"]
high, low = np.maximum(x.max(1), 0), np.maximum((-x).max(1), 0)
scale = high / f32(255) + low / f32(255)
scale = np.where(scale >= np.finfo(f32).tiny, scale, f32(1))
least = -np.rint(np.clip(low / scale, 0, 255))
logical = np.rint(np.clip(x / scale[:, None], least[:, None], least[:, None] + f32(255))).astype(np.int64)
expected = np.maximum((logical @ codes_w).astype(f32) * (scale[:, None] * step), 0)
with np.load(sys.argv[2]) as outputs:
    y = outputs["y"]
assert expected.dtype == f32 and y.shape == expected.shape
assert np.array_equal(y.view(np.int32), expected.view(np.int32)), np.abs(y - expected).max()
