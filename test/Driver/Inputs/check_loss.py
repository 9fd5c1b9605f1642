"""A loss that a selection measured is the distance of the model that is compiled so: LOSSES LAYER:FORMAT FROM.npz MODEL.npz."""
import json
import sys

import numpy as np

losses = {(entry["layer"], entry["format"]): entry["loss"] for entry in json.load(open(sys.argv[1]))["losses"]}
origin, model = (np.load(path)["y"].astype(np.float64) for path in sys.argv[3:5])
noise = np.sum((origin - model) ** 2) / np.sum(origin ** 2)
layer, _, form = sys.argv[2].partition(":")
difference = abs(noise - losses[layer, form])
print(f"{layer}: {'equal' if noise > 1e-6 and difference < 1e-9 * noise else difference}")
