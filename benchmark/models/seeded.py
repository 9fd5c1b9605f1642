"""Networks with seeded weights and the batch-norm statistics of photographs, as ONNX."""

import argparse
import pathlib

import numpy as np
import torch
from torch import nn

from onnx_export import export_onnx

SEED = 50


def seed_weights(model):
    generator = torch.Generator().manual_seed(SEED)
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan = module.weight[0].numel()
            deviation = (2 / fan) ** 0.5 if isinstance(module, nn.Conv2d) else 4 / fan ** 0.5
            module.weight.data.normal_(0, deviation, generator=generator)
            if module.bias is not None:
                module.bias.data.normal_(0, 0.1, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(0, 0.2, generator=generator)


@torch.no_grad()
def set_statistics(model, images, batch=20):
    """Running mean and variance: the plain average over batches of photographs."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))
    model.train()
    for at in range(0, len(images), batch):
        model(images[order[at:at + batch]])
    model.eval()


def export_seeded(make_model, name, description):
    """The command line of a model's script: writes `name`.onnx into the output folder."""
    parser = argparse.ArgumentParser(description=description.split("\n\n")[0])
    parser.add_argument("--photographs", type=pathlib.Path, required=True,
                        help="calibration.npz of benchmark/photographs.py")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True,
                        help="folder for the model")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    model = make_model()
    seed_weights(model)
    set_statistics(model, torch.from_numpy(np.load(options.photographs)["image"]))
    path = options.output / f"{name}.onnx"
    export_onnx(model, (1, 3, 224, 224), path, keep_batch_norm=True)
    print(f"{path}: {path.stat().st_size} bytes")
