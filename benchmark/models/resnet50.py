#!/usr/bin/env python3
"""Exports a ResNet-50 with seeded weights to ONNX.

    python benchmark/models/resnet50.py --photographs build/photographs/calibration.npz \
        -o build/models

writes `resnet50.onnx`: input `image` f32 [1, 3, 224, 224], output `logits` f32
[1, 1000], batch normalization left as ops. The weights are random (seeded) and
the network classifies nothing: it is here for equality with other runtimes,
speed and memory. Its batch-norm statistics are those of the photographs, so that
activations have the ranges and the distributions of a trained network's.

The network: He et al., "Deep Residual Learning", arXiv:1512.03385, with the
stride in the 3x3 convolution.
"""

from torch import nn

from seeded import export_seeded

# width, blocks, stride of the first
STAGES = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]
EXPANSION, CLASSES = 4, 1000


def conv_bn(inputs, outputs, kernel, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs))


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        outputs = width * EXPANSION
        self.reduce = conv_bn(inputs, width, 1)
        self.middle = conv_bn(width, width, 3, stride)
        self.expand = conv_bn(width, outputs, 1)
        self.project = None
        if inputs != outputs or stride != 1:
            self.project = conv_bn(inputs, outputs, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x):
        shortcut = x if self.project is None else self.project(x)
        y = self.relu(self.middle(self.relu(self.reduce(x))))
        return self.relu(self.expand(y) + shortcut)


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 64, 7, 2)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(3, 2, 1)
        blocks, inputs = [], 64
        for width, count, stride in STAGES:
            for index in range(count):
                blocks.append(Bottleneck(inputs, width, stride if index == 0 else 1))
                inputs = width * EXPANSION
        self.blocks = nn.Sequential(*blocks)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classify = nn.Linear(inputs, CLASSES)

    def forward(self, image):
        x = self.blocks(self.pool(self.relu(self.stem(image))))
        return self.classify(self.flatten(self.average(x)))


if __name__ == "__main__":
    export_seeded(ResNet50, "resnet50", __doc__)
