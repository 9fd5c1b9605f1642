#!/usr/bin/env python3
"""Exports a small residual network twice: through torch-mlir and as ONNX.

    python benchmark/models/residual_linalg.py -o test/Integration/Inputs

writes `residual-torch-mlir.mlir`, the network as torch-mlir lowers it to linalg
on tensors (weights inline), and `residual.onnx`, the same network with the same
weights. Both are committed: a test takes them through the same passes. Weights
and batch-norm statistics are seeded; the network classifies nothing. Input
`image` f32 [1, 3, 32, 32], output `logits` f32 [1, 10].
"""

import argparse
import importlib.metadata
import pathlib

import torch
from torch import nn

from onnx_export import export_onnx

SEED, SHAPE = 22, (1, 3, 32, 32)


def conv_bn(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups,
                  bias=False),
        nn.BatchNorm2d(outputs))


class ResidualNet(nn.Module):
    """3x3 stem, max pool, one residual block, depthwise + pointwise, linear."""

    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 16, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.first = conv_bn(16, 16, 3)
        self.second = conv_bn(16, 16, 3)
        self.depthwise = conv_bn(16, 16, 3, stride=2, groups=16)
        self.pointwise = conv_bn(16, 32, 1)
        self.relu = nn.ReLU()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.classify = nn.Linear(32, 10)

    def forward(self, image):
        x = self.pool(self.relu(self.stem(image)))
        x = self.relu(self.second(self.relu(self.first(x))) + x)
        x = self.relu(self.pointwise(self.relu(self.depthwise(x))))
        return self.classify(torch.flatten(self.average(x), 1))


def seeded():
    generator = torch.Generator().manual_seed(SEED)
    model = ResidualNet()
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            deviation = (2 / module.weight[0].numel()) ** 0.5
            module.weight.data.normal_(0, deviation, generator=generator)
            if module.bias is not None:
                module.bias.data.normal_(0, 0.2, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(0, 0.2, generator=generator)
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
    return model.eval()


def export_linalg(model, path):
    from torch_mlir.fx import OutputType, export_and_import
    module = export_and_import(model, torch.zeros(SHAPE), func_name="main",
                               output_type=OutputType.LINALG_ON_TENSORS)
    version = importlib.metadata.version("torch-mlir")
    path.write_text(f"// Written by benchmark/models/residual_linalg.py with torch-mlir "
                    f"{version};\n// the weights are seeded.\n{module}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    model = seeded()
    export_linalg(model, options.output / "residual-torch-mlir.mlir")
    export_onnx(model, SHAPE, options.output / "residual.onnx", keep_batch_norm=True)


if __name__ == "__main__":
    main()
