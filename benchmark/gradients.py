#!/usr/bin/env python3
"""Compares compiled gradients with PyTorch's in float64, over whole models.

    python benchmark/gradients.py --halftone build/bin

Models: the demo CNN (its own weights, batch normalization folded) and a ResNet-50
start: 7x7 stem, overlapping max pool, two bottleneck blocks, the second with stride 2
and 32 groups. For each weight: max|a - b| / max|b|, a being the gradient of the
cross-entropy in f32 from `halftone-differentiate`, compiled, b PyTorch's in float64 on
the same float32 numbers. Fails if one is above --limit.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

from artefact import Artefact

PASSES = ["--halftone-promote-constants", "--halftone-refresh-composites",
          "--halftone-inline-composites", "--halftone-add-loss=target=label",
          "--halftone-differentiate", "--halftone-expand-math", "--canonicalize", "--cse"]


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride, groups):
        super().__init__()
        self.reduce = nn.Conv2d(inputs, width, 1)
        self.middle = nn.Conv2d(width, width, 3, stride, 1, groups=groups)
        self.expand = nn.Conv2d(width, 4 * width, 1)
        self.project = nn.Conv2d(inputs, 4 * width, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x):
        y = self.relu(self.middle(self.relu(self.reduce(x))))
        return self.relu(self.expand(y) + self.project(x))


class ResNetStart(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.first = Bottleneck(32, 32, 1, 1)
        self.second = Bottleneck(128, 64, 2, 32)
        self.relu = nn.ReLU()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.classify = nn.Linear(256, 10)

    def forward(self, image):
        x = self.second(self.first(self.pool(self.relu(self.stem(image)))))
        return self.classify(torch.flatten(self.average(x), 1))


def export_start(path):
    torch.manual_seed(7)
    torch.onnx.export(ResNetStart().eval(), (torch.zeros(1, 3, 64, 64),), str(path), dynamo=False,
                      input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, opset_version=17)


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def entry_names(node):
    return node + ".weight", node + ".bias"


def fold(graph):
    """Weights by node name, batch normalization folded into the convolution before it."""
    tensors = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in graph.initializer}
    makers = {n.output[0]: n for n in graph.node}
    weights = {}
    for node in graph.node:  # equal tensors are stored once
        if node.op_type == "Identity" and node.input[0] in tensors:
            tensors[node.output[0]] = tensors[node.input[0]]
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            w = tensors[node.input[1]]
            b = tensors[node.input[2]] if len(node.input) > 2 else np.zeros(len(w))
            assert node.op_type == "Conv" or attributes(node).get("transB") == 1
            weights[node.name] = [*(list(node.input[1:3]) + [""])[:2], w, b]
        elif node.op_type == "BatchNormalization":
            scale, offset, mean, variance = (tensors[i] for i in node.input[1:5])
            factor = scale / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
            entry = weights[makers[node.input[0]].name]
            # Folded weights take the name of the node, others keep their own.
            entry[0], entry[1] = entry_names(makers[node.input[0]].name)
            entry[2] = entry[2] * factor[:, None, None, None]
            entry[3] = offset + (entry[3] - mean) * factor
    return weights


def forward(graph, weights, image):
    """The graph in PyTorch, normalization left out."""
    values = {graph.input[0].name: image}
    for node in graph.node:
        a, kind = attributes(node), node.op_type
        x = values.get(node.input[0]) if node.input else None
        if kind == "Conv":
            w, b = weights[node.name]
            pads = a.get("pads", [0, 0, 0, 0])
            y = functional.conv2d(functional.pad(x, (pads[1], pads[3], pads[0], pads[2])), w, b, a.get("strides", 1),
                                  0, a.get("dilations", 1), a.get("group", 1))
        elif kind == "Gemm":
            y = functional.linear(x, *weights[node.name])
        elif kind == "MaxPool":
            pads = a.get("pads", [0, 0, 0, 0])
            y = functional.max_pool2d(functional.pad(x, (pads[1], pads[3], pads[0], pads[2]), value=-np.inf),
                                      a["kernel_shape"], a["strides"])
        elif kind == "Relu":
            y = functional.relu(x)
        elif kind == "Add":
            y = x + values[node.input[1]]
        elif kind == "GlobalAveragePool":
            y = x.mean((2, 3), keepdim=True)
        elif kind == "Flatten":
            y = x.flatten(1)
        elif kind in ("BatchNormalization", "Identity"):
            y = x
        elif kind == "Constant":
            continue
        else:
            raise SystemExit(f"this script does not know {kind}")
        values[node.output[0]] = y
    return values[graph.output[0].name]


def to_halftone(array, node):
    """PyTorch's weights in Halftone's layout: HWIO, HWC for depthwise, GFHWC for groups, K x N."""
    groups = attributes(node).get("group", 1) if node.op_type == "Conv" else 1
    if array.ndim == 2:
        return array.T
    if array.ndim != 4:
        return array
    if groups == 1:
        return array.transpose(2, 3, 1, 0)
    if groups == array.shape[0] and array.shape[1] == 1:
        return array[:, 0].transpose(1, 2, 0)
    return array.reshape(groups, -1, *array.shape[1:]).transpose(0, 1, 3, 4, 2)


def compile_gradients(tools, path, batch, folder):
    # A library of the same path would not be loaded again.
    imported, step, library = (str(folder / f"{pathlib.Path(path).stem}{end}") for end in (".mlirbc", "-step.mlirbc", ".so"))
    subprocess.run([tools / "halftone", "import", path, "--dim", f"batch={batch}", "-o", imported], check=True)
    subprocess.run([tools / "halftone-opt", imported, *PASSES, "--emit-bytecode", "-o", step], check=True)
    subprocess.run([tools / "halftone", "compile", step, "-o", library], check=True)
    return Artefact(library, 1)


def compare(tools, name, path, shape, batch, folder):
    graph = onnx.load(path).graph
    generator = np.random.default_rng(11)
    image = generator.random((batch, *shape), np.float32)
    label = generator.integers(0, 10, batch)
    folded = fold(graph)
    nodes = {n.name: n for n in graph.node}
    single = {key: [w.astype(np.float32), b.astype(np.float32)] for key, (_, _, w, b) in folded.items()}

    parameters = {key: [torch.tensor(a.astype(np.float64), requires_grad=True) for a in pair]
                  for key, pair in single.items()}
    logits = forward(graph, parameters, torch.tensor(image.astype(np.float64)))
    loss = functional.cross_entropy(logits, torch.tensor(label))
    loss.backward()

    model = compile_gradients(tools, path, batch, folder)
    feeds = {"image": image, "label": label}
    for key, (weight, bias, _, _) in folded.items():
        feeds[weight], feeds[bias] = (to_halftone(a, nodes[key]) for a in single[key])
    model.set_inputs(feeds)
    model.run()
    print(f"{name}: loss {float(model.outputs['loss']):.7f}, PyTorch {float(loss.detach()):.7f}")
    worst = 0
    for key, (weight, bias, _, _) in folded.items():
        for tensor, parameter in zip((weight, bias), parameters[key]):
            expected = to_halftone(parameter.grad.numpy(), nodes[key])
            error = np.abs(model.outputs[tensor + ".gradient"] - expected).max() / np.abs(expected).max()
            worst = max(worst, error)
            print(f"  {error:.2e}  {tensor}")
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True, help="folder of halftone and halftone-opt")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--limit", type=float, default=1e-4)
    options = parser.parse_args()
    demo = pathlib.Path(__file__).parent.parent / "models/demo/fashion.onnx"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        start = folder / "start.onnx"
        export_start(start)
        worst = max(compare(options.halftone, "demo CNN", demo, (1, 28, 28), options.batch, folder),
                    compare(options.halftone, "ResNet-50 start", start, (3, 64, 64), options.batch, folder))
    print(f"largest error {worst:.2e}, limit {options.limit:.0e}")
    if worst > options.limit:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
