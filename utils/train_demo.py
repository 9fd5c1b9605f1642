#!/usr/bin/env python3
"""Trains the demo model on Fashion-MNIST and exports it to ONNX.

The network is small (about 0.4 million weights) but has every structure that a
compiler for image classifiers must handle: convolutions with batch
normalization, residual adds (identity and projected), a depthwise + pointwise
pair, max and global average pooling and a linear layer. Its input is pixels
divided by 255; no other normalization.

Of the 60,000 training images the last 5,000 of a seeded permutation are held
out; the checkpoint (an exponential moving average of the weights) is chosen by
accuracy on them. The 10,000 test images are evaluated once, at the end.

Training runs on the CPU, saves its state after every epoch, and continues from
there when started again:

    python utils/train_demo.py --work build/demo-training --output models/demo

The output folder receives `fashion.onnx` (batch normalization unfolded, a
dynamic batch axis) and `calibration.npz` (512 training images).
"""

import argparse
import copy
import json
import math
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from make_fashion_npz import DATASET, read_idx

HELD_OUT = 5000
CALIBRATION_IMAGES = 512
SEED = 20240731


def load(folder, split):
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz")
    pixels = torch.from_numpy(images.astype(np.float32) / np.float32(255))
    return pixels[:, None], torch.from_numpy(labels.astype(np.int64))


class ConvBN(nn.Sequential):
    """Convolution without bias, then batch normalization, then maybe Relu."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, groups=1, relu=True):
        layers = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups,
                      bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*layers, *([nn.ReLU()] if relu else []))


class Residual(nn.Module):
    """Two 3x3 convolutions; the shortcut is projected when the shape changes."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.first = ConvBN(inputs, outputs, stride=stride)
        self.second = ConvBN(outputs, outputs, relu=False)
        self.project = None
        if stride != 1 or inputs != outputs:
            self.project = ConvBN(inputs, outputs, 1, stride, relu=False)
        self.relu = nn.ReLU()

    def forward(self, x):
        shortcut = x if self.project is None else self.project(x)
        return self.relu(self.second(self.first(x)) + shortcut)


class Separable(nn.Module):
    """Depthwise 3x3, then pointwise, with an identity shortcut."""

    def __init__(self, channels):
        super().__init__()
        self.depthwise = ConvBN(channels, channels, groups=channels)
        self.pointwise = ConvBN(channels, channels, 1, relu=False)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.pointwise(self.depthwise(x)) + x)


class DemoNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvBN(1, 24)
        self.pool = nn.MaxPool2d(2)
        self.block1 = Residual(24, 40)
        self.block2 = Residual(40, 80, stride=2)
        self.mix = Separable(80)
        self.block3 = Residual(80, 112, stride=2)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classify = nn.Linear(112, 10)

    def forward(self, image):
        x = self.pool(self.stem(image))
        x = self.block3(self.mix(self.block2(self.block1(x))))
        return self.classify(self.flatten(self.average(x)))


def augment(images, generator):
    """Random shift by up to 2 pixels, horizontal flip, and one erased square."""
    n = len(images)
    padded = functional.pad(images, (2, 2, 2, 2))
    shift = torch.randint(0, 5, (n, 2), generator=generator)
    span = torch.arange(28)
    columns = shift[:, 1:] + span
    flip = torch.rand(n, 1, generator=generator) < 0.5
    columns = torch.where(flip, columns.flip(1), columns)
    rows = shift[:, :1] + span
    each = torch.arange(n)[:, None, None]
    out = padded[each, 0, rows[:, :, None], columns[:, None, :]]

    side = torch.randint(4, 11, (n, 1), generator=generator)
    corner = torch.randint(-2, 24, (n, 2), generator=generator)
    in_rows = (span >= corner[:, :1]) & (span < corner[:, :1] + side)
    in_columns = (span >= corner[:, 1:]) & (span < corner[:, 1:] + side)
    erase = in_rows[:, :, None] & in_columns[:, None, :]
    erase &= (torch.rand(n, 1, 1, generator=generator) < 0.5)
    return out.masked_fill(erase, 0.0)[:, None]


@torch.no_grad()
def accuracy(model, images, labels):
    model.eval()
    correct = 0
    for at in range(0, len(images), 500):
        logits = model(images[at:at + 500].contiguous(memory_format=torch.channels_last))
        correct += int((logits.argmax(1) == labels[at:at + 500]).sum())
    return correct / len(images)


@torch.no_grad()
def update_average(average, model, decay):
    for a, b in zip(average.state_dict().values(), model.state_dict().values()):
        if a.dtype.is_floating_point:
            a.lerp_(b, 1 - decay)
        else:
            a.copy_(b)


class Training:
    """Everything that must survive an interruption, and one epoch at a time."""

    def __init__(self, options):
        self.options = options
        torch.manual_seed(SEED)
        self.model = DemoNet().to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.SGD(
            [{"params": decayed, "weight_decay": 5e-4},
             {"params": plain, "weight_decay": 0.0}],
            lr=0.0, momentum=0.9, nesterov=True)
        self.epoch = 0
        self.best = 0.0
        self.state_file = options.work / "state.pt"
        self.best_file = options.work / "best.pt"

    def resume(self):
        if not self.state_file.exists():
            return
        state = torch.load(self.state_file, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.best = state["epoch"], state["best"]
        print(f"continuing after epoch {self.epoch}", flush=True)

    def save(self):
        partial = self.state_file.with_suffix(".partial")
        torch.save({"model": self.model.state_dict(),
                    "average": self.average.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "epoch": self.epoch, "best": self.best}, partial)
        partial.replace(self.state_file)

    def rate(self, step, steps):
        """Linear warm-up over the first sixth, then a cosine down to zero."""
        warm = steps / 6
        if step < warm:
            return self.options.rate * (step + 1) / warm
        return self.options.rate * 0.5 * (
            1 + math.cos(math.pi * (step - warm) / (steps - warm)))

    def run_epoch(self, images, labels):
        generator = torch.Generator().manual_seed(SEED + 1 + self.epoch)
        order = torch.randperm(len(images), generator=generator)
        batch = self.options.batch
        per_epoch = len(images) // batch
        self.model.train()
        for index in range(per_epoch):
            step = self.epoch * per_epoch + index
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate(step, per_epoch * self.options.epochs)
            chosen = order[index * batch:(index + 1) * batch]
            x = augment(images[chosen], generator)
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
                logits = self.model(x)
            loss = functional.cross_entropy(logits.float(), labels[chosen],
                                            label_smoothing=0.1)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            # A short memory at first, a long one when the weights settle.
            update_average(self.average, self.model, min(0.995, (step + 1) / (step + 10)))
        self.epoch += 1
        return float(loss.detach())


def export(model, path):
    """ONNX with batch normalization left as ops and no constant folded."""
    model = copy.deepcopy(model).to(memory_format=torch.contiguous_format).eval()
    torch.onnx.export(
        model, (torch.zeros(1, 1, 28, 28),), str(path), dynamo=False,
        input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=pathlib.Path, default=DATASET)
    parser.add_argument("--work", type=pathlib.Path, required=True,
                        help="folder for the state of the training")
    parser.add_argument("--output", type=pathlib.Path, required=True,
                        help="folder for fashion.onnx and calibration.npz")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.15, help="peak learning rate")
    parser.add_argument("--bf16", action="store_true",
                        help="train in bfloat16 autocast (faster where the CPU has it)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    options.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)

    images, labels = load(options.data, "train")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))
    kept, held = order[:-HELD_OUT], order[-HELD_OUT:]
    calibration = images[kept[:CALIBRATION_IMAGES]].numpy()
    np.savez_compressed(options.output / "calibration.npz", image=calibration)

    training = Training(options)
    weights = sum(p.numel() for p in training.model.parameters())
    print(f"{weights} weights, {len(kept)} training images, {len(held)} held out", flush=True)
    training.resume()
    while training.epoch < options.epochs:
        start = time.time()
        loss = training.run_epoch(images[kept], labels[kept])
        score = accuracy(training.average, images[held], labels[held])
        if score >= training.best:
            training.best = score
            torch.save(training.average.state_dict(), training.best_file)
        training.save()
        print(f"epoch {training.epoch}/{options.epochs}: loss {loss:.4f}, held-out "
              f"{100 * score:.2f} %, {time.time() - start:.0f} s", flush=True)

    training.average.load_state_dict(torch.load(training.best_file, weights_only=True))
    export(training.average, options.output / "fashion.onnx")
    test_images, test_labels = load(options.data, "t10k")
    test = accuracy(training.average, test_images, test_labels)
    print(json.dumps({"weights": weights, "held_out": training.best, "test": test}))


if __name__ == "__main__":
    main()
