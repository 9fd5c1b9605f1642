#!/usr/bin/env python3
"""Quantizes the embedded model and prints float against int8 in one table.

    python utils/demo.py --halftone build/bin/halftone --work build/demo

Accuracy is on all 10,000 Fashion-MNIST test images; latency is one image on one
thread, both models taking turns; peak memory is what a process needs for the
model: its constants and its workspace.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / "models/demo/fashion.onnx"
CALIBRATION = ROOT / "models/demo/calibration.npz"


def shown(command):
    print("$", " ".join(str(word) for word in command), flush=True)
    subprocess.run(command, check=True)


def read_json(command):
    print("$", " ".join(str(word) for word in command), flush=True)
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first = row[0].ljust(widths[0])
        print(first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:])), sep="  ")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    test, floating, int8 = (options.work / name for name in ("test.npz", "float.so", "int8.so"))

    if not test.exists():
        shown([sys.executable, ROOT / "utils/make_fashion_npz.py", "-o", test])
    batch = ["--dim", "batch=1..32"]
    shown([options.halftone, "build", MODEL, "--float", *batch, "-o", floating])
    shown([options.halftone, "build", MODEL, "--data", CALIBRATION, *batch, "-o", int8])
    shown([options.halftone, "run", int8, "--input", test, "-o", options.work / "int8.npz"])
    fidelity = read_json([options.halftone, "compare", floating, int8, "--data", test,
                          "--labels", "label", "--json"])[0]
    latency = read_json([options.halftone, "bench", floating, "--against", int8, "--json"])

    def row(what, cells, ratio=""):
        return [what, *cells, ratio]

    def megabytes(values):
        return [f"{value / 1e6:.3f} MB" for value in values]

    def ratio(values):
        return f"{values[1] / values[0]:.2f}"

    sizes = [path.stat().st_size for path in (floating, int8)]
    constants = [model["constant_bytes"] for model in latency]
    memory = [model["constant_bytes"] + model["workspace_bytes"] for model in latency]
    times = [model["median_us"] for model in latency]
    accuracy = [fidelity["accuracy_a"], fidelity["accuracy_b"]]
    print()
    print_table([
        row("", ["float", "int8"], "int8/float"),
        row(f"accuracy ({fidelity['samples']} images)", [f"{value:.2f} %" for value in accuracy]),
        row("constants", megabytes(constants), ratio(constants)),
        row(f"file (ONNX: {MODEL.stat().st_size / 1e6:.3f} MB)", megabytes(sizes), ratio(sizes)),
        row("peak memory, batch to 32", megabytes(memory), ratio(memory)),
        row("latency, one image", [f"{value:.0f} us" for value in times], f"{latency[1]['ratio']:.2f}"),
    ])
    print(f"\nsame class {100 * fidelity['same_top1'] / fidelity['samples']:.2f} %, "
          f"SQNR of the logits {fidelity.get('sqnr_db', float('inf')):.1f} dB, target {latency[1]['target']}")


if __name__ == "__main__":
    main()
