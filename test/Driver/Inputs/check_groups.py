"""Compares weights of 3 bits by group, of which a column is one, before and after training: check_groups.py OLD NEW"""
import json
import re
import sys

import numpy as np


def weights(path):
    texts = re.findall(r"dense<(\[\[.*?\]\])> : tensor<\d+x\d+xi8>", open(path).read())
    return sorted((np.array(json.loads(text)) for text in texts), key=lambda weight: weight.shape)


def multipliers(column):
    return {m for m in range(1, 43) if not (column % m).any() and abs(column).max() <= 3 * m}


pairs = list(zip(weights(sys.argv[1]), weights(sys.argv[2]), strict=True))
for old, new in pairs:
    for before, after in zip(old.T, new.T, strict=True):
        assert multipliers(before) & multipliers(after), (before, after)
assert any((old != new).any() for old, new in pairs)
print(f"{len(pairs)} weights: each column is levels of 3 bits times the multiplier that it had, and some levels differ")
