#!/usr/bin/env python3
"""The three networks of PP-OCR with fixed shapes, and crops of photographs and lines of text for them.

    python benchmark/models/ocr.py -o build/frontier-models

writes `ocr-detection.onnx` (PP-OCRv4, input `x` f32 [1, 3, 320, 320]), `ocr-recognition.onnx` (PP-OCRv4, [1, 3, 48, 320]) and
`ocr-direction.onnx` (PP-OCR v2.0, [1, 3, 48, 192]), each with `-calibration.npz` and `-evaluation.npz`: 24 crops for the detection, for the others
96 windows about as high as a line, of two pages of text. The networks come from the PyPI package rapidocr-onnxruntime, the pictures from scikit-image. Crops and windows are seeded.
"""

import argparse
import pathlib

import numpy as np
import onnx
import rapidocr_onnxruntime
import skimage.transform

from crops import make_crops
from fixed_shape import fix_shape
from zoo_samples import lines

NETWORKS = {"detection": ("ch_PP-OCRv4_det_infer", 320, 320), "recognition": ("ch_PP-OCRv4_rec_infer", 48, 320),
            "direction": ("ch_ppocr_mobile_v2.0_cls_infer", 48, 192)}


def make_samples(name, height, width):
    """Both parts, in 0 .. 1."""
    if name == "detection":
        scaled = np.stack([skimage.transform.resize(crop, (height, width), anti_aliasing=True).transpose(2, 0, 1) for crop in make_crops()])
        return scaled[0::2], scaled[1::2]
    return [np.repeat(part["x"][:, 0], 3, axis=1) for part in lines({"x": [1, 1, height, width]}, count=192)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    files = pathlib.Path(rapidocr_onnxruntime.__file__).parent / "models"
    for name, (file, height, width) in NETWORKS.items():
        model = fix_shape(onnx.load(files / f"{file}.onnx"), (1, 3, height, width))
        onnx.save(model, folder / f"ocr-{name}.onnx")
        for part, scaled in zip(("calibration", "evaluation"), make_samples(name, height, width)):
            np.savez(folder / f"ocr-{name}-{part}.npz", **{model.graph.input[0].name: ((scaled - 0.5) / 0.5).astype(np.float32)})


if __name__ == "__main__":
    main()
