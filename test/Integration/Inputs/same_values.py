"""Fails unless two .npz files hold the same arrays, bit for bit, whatever their names.

    same_values.py A.npz B.npz
"""
import sys

import numpy as np

a, b = (np.load(path) for path in sys.argv[1:3])
assert len(a.files) == len(b.files) and a.files, "not the same number of arrays"
for left, right in zip(a.files, b.files):
    x, y = a[left], b[right]
    assert x.dtype == y.dtype and x.shape == y.shape, f"{left} and {right} are of different types or shapes"
    different = np.count_nonzero(x.view(np.uint8) != y.view(np.uint8))
    assert not different, f"{different} bytes of {left} and {right} differ"
print(f"{len(a.files)} arrays are equal")
