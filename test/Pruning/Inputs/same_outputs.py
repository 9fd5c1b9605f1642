"""Compares two .npz files of outputs: largest difference as a share of the largest value of that output, at most the third argument."""
import sys

import numpy as np

first, second = np.load(sys.argv[1]), np.load(sys.argv[2])
limit = float(sys.argv[3])
assert sorted(first.files) == sorted(second.files) and first.files
for name in first.files:
    assert first[name].shape == second[name].shape
    difference = np.abs(first[name] - second[name]).max() / np.abs(first[name]).max()
    assert difference <= limit, f"{name}: {difference}"
    print(f"{name}: the same")
