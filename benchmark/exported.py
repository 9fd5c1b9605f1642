#!/usr/bin/env python3
"""An exported model in onnxruntime against Halftone's own library of the same stage file.

    halftone export quantized.mlirbc -o quantized.onnx
    halftone compile quantized.mlirbc -o quantized.so
    halftone run quantized.so --input samples.npz -o outputs.npz
    build/benchmark-python/bin/python benchmark/exported.py quantized.onnx samples.npz outputs.npz [--samples 64]

Prints, without and with onnxruntime's graph optimizations: the largest difference, SQNR and top-1 agreement of each
output, how many elements are equal, and how many of the nodes are integer operators then.
"""

import argparse
import collections
import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime

LEVELS = {"as it is": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
          "optimized": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL}


def start(path, level, optimized):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(session, samples, count):
    """The outputs by name, in batches of the model's size."""
    inputs = {value.name: samples[value.name][:count] for value in session.get_inputs()}
    batch = session.get_inputs()[0].shape[0]
    step = batch if isinstance(batch, int) else 32
    names = [value.name for value in session.get_outputs()]
    parts = [session.run(names, {name: array[i:i + step] for name, array in inputs.items()})
             for i in range(0, count - count % step if isinstance(batch, int) else count, step)]
    return {name: np.concatenate(arrays) for name, arrays in zip(names, zip(*parts))}


def compare(name, actual, expected):
    expected = expected[:len(actual)].reshape(actual.shape)
    error = np.square(actual - expected, dtype=np.float64).sum()
    signal = np.square(expected, dtype=np.float64).sum()
    sqnr = 10 * np.log10(signal / error) if error else np.inf
    same = np.mean(actual.reshape(len(actual), -1).argmax(1) == expected.reshape(len(actual), -1).argmax(1))
    print(f"  {name}: {len(actual)} samples, largest difference {np.abs(actual - expected).max():.3g} of {np.abs(expected).max():.3g}, "
          f"SQNR {sqnr:.1f} dB, same top-1 {same:.2%}, {np.mean(actual == expected):.2%} equal")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("samples")
    parser.add_argument("outputs")
    parser.add_argument("--samples", type=int, dest="count", default=10**9)
    options = parser.parse_args()
    samples, expected = np.load(options.samples), np.load(options.outputs)
    count = min([options.count] + [len(samples[name]) for name in samples.files])
    for title, level in LEVELS.items():
        with tempfile.TemporaryDirectory() as folder:
            optimized = pathlib.Path(folder) / "optimized.onnx"
            session = start(options.model, level, optimized)
            kinds = collections.Counter(node.op_type for node in onnx.load(optimized).graph.node)
        integer = {kind: number for kind, number in kinds.items() if kind.startswith("QLinear") or kind in ("QGemm", "QAttention")}
        print(f"{title}: {sum(kinds.values())} nodes, integer operators: {integer or 'none'}")
        for name, actual in run(session, samples, count).items():
            compare(name, actual, expected[name])


if __name__ == "__main__":
    main()
