#!/usr/bin/env python3
"""How near quantized outputs are to the float model's, tools side by side.

    python benchmark/fidelity.py build/models/efficientnet_lite0.onnx \
        --data build/photographs/evaluation.npz \
        halftone=build/halftone.npz onnxruntime=build/peers/entropy.npz

The float outputs are onnxruntime's. Each NAME=FILE is an .npz of the outputs that
a tool gave for the same samples, in the same order (ours: `halftone run M.so
--input X.npz -o Y.npz`). Printed for each: the share of samples whose largest
logit is the float model's (top-1 agreement), and the signal to quantization-noise
ratio of the logits over all samples, 10 log10(sum float^2 / sum (float - other)^2).
"""

import argparse
import json
import pathlib

import numpy as np


def load_samples(path):
    """The arrays of an .npz; all share the leading sample axis."""
    with np.load(path) as data:
        return {name: data[name] for name in data.files}


def spread(samples, count):
    """`count` evenly spaced samples, or all of them."""
    total = len(next(iter(samples.values())))
    chosen = np.linspace(0, total - 1, min(count or total, total)).round().astype(int)
    return {name: values[chosen] for name, values in samples.items()}


def run_onnx(model, samples, threads=0):
    """onnxruntime's outputs, sample by sample whatever the model's batch."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model), options,
                                           providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    outputs = [value.name for value in session.get_outputs()]
    count = len(samples[names[0]])
    rows = [session.run(None, {n: samples[n][i:i + 1] for n in names}) for i in range(count)]
    return {name: np.concatenate([row[k] for row in rows])
            for k, name in enumerate(outputs)}


def compare(reference, other):
    """Top-1 agreement, SQNR in dB and the largest difference, relative."""
    reference = reference.reshape(len(reference), -1).astype(np.float64)
    other = other.reshape(len(other), -1).astype(np.float64)
    if reference.shape != other.shape:
        raise SystemExit(f"shapes differ: {reference.shape} and {other.shape}")
    noise = np.sum((reference - other) ** 2)
    sqnr = 10 * np.log10(np.sum(reference ** 2) / noise) if noise else float("inf")
    return {"samples": len(reference),
            "top1": float(np.mean(reference.argmax(1) == other.argmax(1))),
            "sqnr_db": float(sqnr),
            "max_relative": float(np.abs(reference - other).max() / np.abs(reference).max())}


def photographs_of(data):
    """The number of photographs behind the samples, if a list stands beside them."""
    names = pathlib.Path(data).with_suffix(".json")
    return len(set(json.loads(names.read_text()))) if names.exists() else None


def print_table(results, data):
    count = photographs_of(data)
    samples = next(iter(results.values()))["samples"]
    print(f"{samples} crops of {count} photographs" if count else f"{samples} samples")
    width = max(len(name) for name in results)
    print(f"{'':{width}}  top-1 agreement  SQNR dB  max|a-b|/max|b|")
    for name, row in results.items():
        print(f"{name:{width}}  {100 * row['top1']:13.1f} %  {row['sqnr_db']:7.2f}"
              f"  {row['max_relative']:15.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=pathlib.Path, help="the float ONNX model")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--output-name", help="which output; default: the first")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers here too")
    parser.add_argument("outputs", nargs="+", metavar="NAME=FILE")
    options = parser.parse_args()
    reference = run_onnx(options.model, load_samples(options.data))
    key = options.output_name or next(iter(reference))
    results = {}
    for item in options.outputs:
        name, _, path = item.partition("=")
        arrays = load_samples(path)
        if key not in arrays:
            raise SystemExit(f"{path}: no output {key!r}; it has {', '.join(arrays)}")
        results[name] = compare(reference[key], arrays[key])
    print_table(results, options.data)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
