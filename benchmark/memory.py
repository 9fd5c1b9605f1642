#!/usr/bin/env python3
"""Peak memory of running a model once, each contender in a process of its own.

    python benchmark/memory.py --data build/photographs/evaluation.npz \
        float=build/models/resnet50.onnx halftone=build/resnet50.so

Contenders are named as for latency.py. Printed for each: the file's size, and by how
much the process's peak resident memory grew from just before the model was loaded
(Python, NumPy and, for ONNX models, onnxruntime are in memory by then) to the end of
its third inference.
"""

import argparse
import json
import pathlib
import subprocess
import sys

from fidelity import load_samples
from latency import open_contender


def peak_bytes():
    """The peak resident memory of this process so far (VmHWM)."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status has no VmHWM")


def run_one(path, data):
    """In the child: loads and runs one model, prints the growth in bytes."""
    if path.suffix == ".onnx":
        import onnxruntime  # noqa: F401, so that its own size is not counted
    samples = {name: values[:1].copy() for name, values in load_samples(data).items()}
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before = peak_bytes()
    contender = open_contender(path, samples)
    for _ in range(3):
        contender.run()
    print(peak_bytes() - before)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers here too")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("contenders", nargs="+", metavar="NAME=FILE")
    options = parser.parse_args()
    if options.one:
        run_one(pathlib.Path(options.contenders[0]), options.data)
        return

    results = {}
    width = max(len(item.partition("=")[0]) for item in options.contenders)
    print(f"{'':{width}}   file MB  memory MB")
    for item in options.contenders:
        name, _, path = item.partition("=")
        path = pathlib.Path(path).resolve()
        child = subprocess.run([sys.executable, __file__, "--one", "--data",
                                str(options.data), str(path)],
                               stdout=subprocess.PIPE, text=True, check=True)
        results[name] = {"file": path.stat().st_size, "memory": int(child.stdout)}
        print(f"{name:{width}}  {results[name]['file'] / 1e6:8.2f}  "
              f"{results[name]['memory'] / 1e6:9.2f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
