#!/usr/bin/env python3
"""A model of zoo.json with the sizes that zoo.json says, and samples for it.

    python benchmark/models/zoo_model.py -o build/frontier-models NAME

writes NAME.onnx, NAME-calibration.npz and NAME-evaluation.npz. A package that is missing is named. Samples are those of zoo.py, or as many as the entry's
`frontier_samples` asks for: to prune, more are needed than for ranges.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

import zoo_samples

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from zoo import find_file  # noqa: E402
from fixed_shape import fix_shape  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("name")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    entry = json.loads((HERE.parent / "zoo.json").read_text())[options.name]
    file = find_file(entry)
    model = onnx.load(file)
    (_, shape), = entry["shapes"].items()
    onnx.save(fix_shape(model, shape), options.folder / f"{options.name}.onnx")
    settings = dict(entry.get("settings", {}))
    if "frontier_samples" in entry:
        settings["count"] = entry["frontier_samples"]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    parts = getattr(zoo_samples, entry["samples"])(shapes=entry["shapes"], folder=options.folder, session=session, **settings)
    for part, values in zip(("calibration", "evaluation"), parts):
        np.savez(options.folder / f"{options.name}-{part}.npz", **values)


if __name__ == "__main__":
    main()
