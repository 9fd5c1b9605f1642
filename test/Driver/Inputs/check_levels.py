"""Compares the levels of quantized files: check_levels.py FITTED LEARNED FIXED (as text, small constants)"""
import re
import sys


def codes(path):
    """The codes of each layer's weights, by shape in the order of the file."""
    found = []
    for text, shape in re.findall(r"dense<(\[\[.*?\]\])> : tensor<(\d+x\d+)xi8>", open(path).read()):
        found.append((shape, [int(v) for v in re.findall(r"-?\d+", text)]))
    return dict(found)


fitted, learned, fixed = map(codes, sys.argv[1:])
assert fitted.keys() == learned.keys() == fixed.keys() and len(fitted) == 3, (fitted, learned)
assert all(len(set(values)) <= 8 for model in (fitted, learned, fixed) for values in model.values())
assert all(model["8x8"].count(0) >= 48 for model in (fitted, learned, fixed))
print("at most 8 levels, 48 zeros or more in second")
print("learned: other levels in", sum(not set(learned[k]) <= set(fitted[k]) for k in fitted), "of 3 layers")
print("fixed: other levels in", sum(not set(fixed[k]) <= set(fitted[k]) for k in fitted), "of 3 layers, other codes in",
      sum(fixed[k] != fitted[k] for k in fitted))
