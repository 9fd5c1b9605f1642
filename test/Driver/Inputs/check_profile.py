"""Sums up the JSON of `halftone bench --profile`: check_profile.py PROFILE.json"""
import json
import sys

profile = json.load(open(sys.argv[1]))
layers, kinds = profile["layers"], profile["kinds"]
total = sum(layer["multiply_accumulates"] for layer in layers)
same = total == sum(kind["multiply_accumulates"] for kind in kinds)
print(total, "multiply-accumulates,", "as many by kind" if same else "but not by kind")
assert layers[-1]["kind"] == "between layers"
assert sum(kind["count"] for kind in kinds) == len(layers)
for layer in layers[:-1]:
    assert layer["name"] and layer["kernel"] and layer["microseconds"] >= 0 and layer["written_bytes"] > 0, layer
# Medians of three rounds do not add up exactly.
print(f"the layers take {100 * sum(layer['microseconds'] for layer in layers) / profile['microseconds']:.0f} % of the run")
