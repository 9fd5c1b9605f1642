"""Compares the scales of two quantized models, and reads a report: check_scales.py OLD NEW REPORT.json"""
import json
import re
import sys


def scales(path):
    """Zero points or axes and scales, of activations and of weights, each once, in the order of the text."""
    text = open(path).read()
    activations = list(dict.fromkeys(re.findall(r"halftone\.quantize .*!quant\.uniform<i8:f32, ([^:]*):", text)))
    weights = list(dict.fromkeys(re.findall(r"quant\.scast .*!quant\.uniform<i8<-3:3>:f32:1, {([^}]*)}", text)))
    return activations, weights


(old_activations, old_weights), (activations, weights) = scales(sys.argv[1]), scales(sys.argv[2])
assert len(activations) == len(old_activations) and len(weights) == len(old_weights)
assert not set(activations) & set(old_activations) and not set(weights) & set(old_weights)
for old, new in zip(old_activations, activations):
    assert 0.5 < float(new) / float(old) < 2, (old, new)
print(f"{len(activations)} types of activations and {len(weights)} of weights, all with other scales")
epochs = json.load(open(sys.argv[3]))["epochs"]
for i, epoch in enumerate(epochs):
    assert epoch["epoch"] == i + 1 and 0 <= epoch["accuracy"] <= 1 and 0 <= epoch["held_out_accuracy"] <= 1
    assert epoch["loss"] > 0 and epoch["held_out_loss"] > 0 and 0 < epoch["rate"] <= 0.005
assert epochs[0]["rate"] > epochs[1]["rate"] > epochs[2]["rate"]
print(len(epochs), "epochs")
