"""A loss that a selection measured is the distance of the model that is compiled so from int8's: LOSSES LAYER INT8.npz MODEL.npz."""
import json
import sys

import numpy as np

losses = {(entry["layer"], entry["format"]): entry["loss"] for entry in json.load(open(sys.argv[1]))["losses"]}
plain, model = (np.load(path)["y"].astype(np.float64) for path in sys.argv[3:5])
noise = np.sum((plain - model) ** 2) / np.sum(plain ** 2)
difference = abs(noise - losses[sys.argv[2], "codebook4"])
print(f"{sys.argv[2]}: {'equal' if noise > 1e-6 and difference < 1e-9 * noise else difference}")
