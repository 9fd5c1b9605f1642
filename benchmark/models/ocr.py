#!/usr/bin/env python3
"""The three networks of PP-OCR with fixed shapes, and crops of photographs and pages for them.

    python benchmark/models/ocr.py -o build/frontier-models

writes `ocr-detection.onnx` (PP-OCRv4, input `x` f32 [1, 3, 320, 320]), `ocr-recognition.onnx` (PP-OCRv4, [1, 3, 48, 320]) and
`ocr-direction.onnx` (PP-OCR v2.0, [1, 3, 48, 192]), each with `-calibration.npz` and `-evaluation.npz` of 24 crops. The networks come from the
PyPI package rapidocr-onnxruntime, the pictures from scikit-image. Crops are seeded; each network gets the same ones, scaled to its input.
"""

import argparse
import pathlib

import numpy as np
import onnx
import rapidocr_onnxruntime
import skimage.transform

from crops import make_crops

NETWORKS = {"detection": ("ch_PP-OCRv4_det_infer", 320, 320), "recognition": ("ch_PP-OCRv4_rec_infer", 48, 320),
            "direction": ("ch_ppocr_mobile_v2.0_cls_infer", 48, 192)}


def fix_shape(model, shape):
    """Says the input's shape; what is recorded of inner and output shapes goes."""
    for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
        dim.dim_value = size
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    files, crops = pathlib.Path(rapidocr_onnxruntime.__file__).parent / "models", make_crops()
    for name, (file, height, width) in NETWORKS.items():
        model = fix_shape(onnx.load(files / f"{file}.onnx"), (1, 3, height, width))
        onnx.save(model, folder / f"ocr-{name}.onnx")
        scaled = np.stack([skimage.transform.resize(crop, (height, width), anti_aliasing=True).transpose(2, 0, 1) for crop in crops])
        values = ((scaled - 0.5) / 0.5).astype(np.float32)
        for part, first in (("calibration", 0), ("evaluation", 1)):
            np.savez(folder / f"ocr-{name}-{part}.npz", **{model.graph.input[0].name: values[first::2]})


if __name__ == "__main__":
    main()
