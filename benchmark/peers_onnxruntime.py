#!/usr/bin/env python3
"""Quantizes a float ONNX model with onnxruntime, the peer to measure against.

    python benchmark/peers_onnxruntime.py build/models/efficientnet_lite0.onnx \
        --calibration build/photographs/calibration.npz \
        --evaluation build/photographs/evaluation.npz -o build/peers

After quant_pre_process, quantize_static runs in QDQ form with u8 activations and
per-channel s8 weights, once with MinMax and once with Entropy calibration (and
Percentile, 99.999 %, when asked for), on every calibration sample. `dynamic` is
quantize_dynamic, which finds ranges at run time, with per-channel s8 weights: what
onnxruntime's documentation advises for transformers. The output folder
receives minmax.onnx and entropy.onnx, their outputs on the evaluation samples
(float.npz, minmax.npz, entropy.npz), and fidelity.json.

Entropy as quantize_static sets it up has 128 histogram bins for 128 quantized bins,
which leaves its search one candidate: the whole range. It then gives MinMax's ranges
or nearly, which is why Percentile is offered too. On CPUs with AVX2 alone its products
saturate at 16 bits; `minmax-7bit` has weights of 7 bits (reduce_range), which cannot.
"""

import argparse
import json
import pathlib

import numpy as np
from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod,
                                      QuantFormat, QuantType, quantize_dynamic, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process

from fidelity import compare, load_samples, print_table, run_onnx, spread

METHODS = {"minmax": CalibrationMethod.MinMax, "entropy": CalibrationMethod.Entropy,
           "percentile": CalibrationMethod.Percentile, "minmax-7bit": CalibrationMethod.MinMax,
           "dynamic": None}


class SampleReader(CalibrationDataReader):
    """One sample at a time, as quantize_static asks for them."""

    def __init__(self, samples):
        count = len(next(iter(samples.values())))
        self.feeds = ({name: values[i:i + 1] for name, values in samples.items()}
                      for i in range(count))

    def get_next(self):
        return next(self.feeds, None)


def quantize(model, samples, method, path):
    if method == "dynamic":
        quantize_dynamic(str(model), str(path), weight_type=QuantType.QInt8, per_channel=True)
        return
    quantize_static(str(model), str(path), SampleReader(samples),
                    quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, per_channel=True,
                    calibrate_method=METHODS[method], reduce_range=method.endswith("-7bit"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--calibration", type=pathlib.Path, required=True)
    parser.add_argument("--evaluation", type=pathlib.Path,
                        help="without it nothing is measured")
    parser.add_argument("--methods", nargs="+", choices=METHODS,
                        default=["minmax", "entropy"])
    parser.add_argument("--samples", type=int,
                        help="use only so many calibration samples, evenly spaced "
                             "(Entropy keeps every activation in memory)")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    samples = spread(load_samples(options.calibration), options.samples)
    prepared = options.output / "prepared.onnx"
    quant_pre_process(str(options.model), str(prepared))
    for method in options.methods:
        print(f"onnxruntime {method}: calibrating and quantizing", flush=True)
        quantize(prepared, samples, method, options.output / f"{method}.onnx")
    if not options.evaluation:
        return

    evaluation = load_samples(options.evaluation)
    reference = run_onnx(options.model, evaluation)
    np.savez_compressed(options.output / "float.npz", **reference)
    key = next(iter(reference))
    results = {}
    for method in options.methods:
        outputs = run_onnx(options.output / f"{method}.onnx", evaluation)
        np.savez_compressed(options.output / f"{method}.npz", **outputs)
        results[f"onnxruntime {method}"] = compare(reference[key], outputs[key])
    print_table(results, options.evaluation)
    (options.output / "fidelity.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
