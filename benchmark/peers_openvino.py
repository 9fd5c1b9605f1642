#!/usr/bin/env python3
"""Quantizes a float ONNX model with NNCF, for OpenVINO.

    python benchmark/peers_openvino.py build/models/efficientnet_lite0.onnx \
        --calibration build/photographs/calibration.npz -o build/openvino

writes performance.xml and mixed.xml (NNCF's two presets: symmetric activations, or
asymmetric ones where the ranges are; --transformer is NNCF's model type, which smooths activations), and float.xml, all with their weights beside them. On CPUs with
AVX2 alone products saturate at 16 bits; performance-7bit and mixed-7bit have weights of 7 bits in all layers
(overflow_fix), else only the first layer has.
"""

import argparse
import pathlib

import nncf
import openvino

from fidelity import load_samples, spread

PRESETS = {"performance": nncf.QuantizationPreset.PERFORMANCE,
           "mixed": nncf.QuantizationPreset.MIXED}
SEVEN_BITS = "-7bit"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--calibration", type=pathlib.Path, required=True)
    parser.add_argument("--presets", nargs="+", choices=[*PRESETS, *(p + SEVEN_BITS for p in PRESETS)],
                        default=list(PRESETS))
    parser.add_argument("--transformer", action="store_true", help="NNCF's model type")
    parser.add_argument("--samples", type=int,
                        help="use only so many calibration samples, evenly spaced")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    samples = spread(load_samples(options.calibration), options.samples)
    count = len(next(iter(samples.values())))
    for preset in options.presets:
        model = openvino.Core().read_model(str(options.model))
        names = {value.any_name for value in model.inputs}
        feeds = [{n: v[i:i + 1] for n, v in samples.items() if n in names}
                 for i in range(count)]
        fix = nncf.OverflowFix.ENABLE if preset.endswith(SEVEN_BITS) else nncf.OverflowFix.FIRST_LAYER
        quantized = nncf.quantize(model, nncf.Dataset(feeds), preset=PRESETS[preset.removesuffix(SEVEN_BITS)],
                                  subset_size=count, model_type=nncf.ModelType.TRANSFORMER if options.transformer else None,
                                  advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix))
        openvino.save_model(quantized, str(options.output / f"{preset}.xml"),
                            compress_to_fp16=False)
    model = openvino.Core().read_model(str(options.model))
    openvino.save_model(model, str(options.output / "float.xml"), compress_to_fp16=False)


if __name__ == "__main__":
    main()
