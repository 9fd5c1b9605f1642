#!/usr/bin/env python3
"""Exports a MobileNetV2 with seeded weights to ONNX.

    python benchmark/models/mobilenetv2.py --photographs build/photographs/calibration.npz \
        -o build/models

writes `mobilenetv2.onnx`: input `image` f32 [1, 3, 224, 224], output `logits` f32
[1, 1000], batch normalization left as ops. The weights are random (seeded) and the
network classifies nothing: it is here for speed, memory and exactness. Its batch-norm
statistics are those of the photographs, as for resnet50.py.

The network: Sandler et al., "MobileNetV2", arXiv:1801.04381, width 1.
"""

from torch import nn

from seeded import export_seeded

# expansion, outputs, repeats, stride of the first: table 2 of the paper
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
          (6, 160, 3, 2), (6, 320, 1, 1)]
STEM, HEAD, CLASSES = 32, 1280, 1000


def conv_bn(inputs, outputs, kernel=1, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Inverted residual: expand, depthwise 3x3, project without activation."""

    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        inner = inputs * expansion
        layers = [conv_bn(inputs, inner), nn.ReLU6()] if expansion != 1 else []
        layers += [conv_bn(inner, inner, 3, stride, inner), nn.ReLU6(), conv_bn(inner, outputs)]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        layers, inputs = [conv_bn(3, STEM, 3, 2), nn.ReLU6()], STEM
        for expansion, outputs, repeats, stride in STAGES:
            for index in range(repeats):
                layers.append(Block(inputs, outputs, expansion, stride if index == 0 else 1))
                inputs = outputs
        layers += [conv_bn(inputs, HEAD), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                   nn.Linear(HEAD, CLASSES)]
        self.layers = nn.Sequential(*layers)

    def forward(self, image):
        return self.layers(image)


if __name__ == "__main__":
    export_seeded(MobileNetV2, "mobilenetv2", __doc__)
