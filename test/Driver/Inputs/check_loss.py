"""A loss that a selection measured is the noise of the model that is compiled so: LOSSES LAYER FLOAT.npz INT8.npz MODEL.npz."""
import json
import sys

import numpy as np

losses = {(entry["layer"], entry["format"]): entry["loss"] for entry in json.load(open(sys.argv[1]))["losses"]}
floats, plain, model = (np.load(path)["y"].astype(np.float64) for path in sys.argv[3:6])
noise = [np.sum((floats - other) ** 2) / np.sum(floats ** 2) for other in (model, plain)]
difference = abs(noise[0] - noise[1] - losses[sys.argv[2], "codebook4"])
print(f"{sys.argv[2]}: {'equal' if noise[0] > 1.5 * noise[1] and difference < 1e-9 * noise[0] else difference}")
