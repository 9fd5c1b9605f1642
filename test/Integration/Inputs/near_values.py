"""near_values.py A.npz B.npz: whether their arrays, in the order of the files, are the same to 100 dB."""
import sys

import numpy as np

a, b = (list(np.load(path).values()) for path in sys.argv[1:3])
assert len(a) == len(b)
for left, right in zip(a, b):
    left, right = left.ravel().astype("f8"), right.ravel().astype("f8")
    assert left.size == right.size and np.square(left).sum() > 0
    ratio = 10 * np.log10(np.square(left).sum() / max(np.square(left - right).sum(), 1e-30))
    assert ratio > 100, f"{ratio:.1f} dB"
print(len(a), "arrays are near")
