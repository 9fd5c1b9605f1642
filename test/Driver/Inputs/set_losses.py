"""Changes what a selection measured: LOSSES LAYER:FORMAT=LOSS..."""
import json
import sys

measured = json.load(open(sys.argv[1]))
changed = dict(word.split("=") for word in sys.argv[2:])
for entry in measured["losses"]:
    entry["loss"] = float(changed.pop(f"{entry['layer']}:{entry['format']}", entry["loss"]))
assert not changed, changed
json.dump(measured, open(sys.argv[1], "w"))
