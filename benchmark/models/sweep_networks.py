"""Networks of PyTorch packages with seeded random weights, as both of torch's exporters write them.

    python benchmark/models/sweep_networks.py NAME EXPORTER -o model.onnx

NAME is an entry of benchmark/sweep.json, EXPORTER `dynamo` or `script`. An entry names its package (timm, torchvision, transformers), the network
there, its settings, and its inputs: {NAME: shape}, or {NAME: {"shape": ..., "below": N}} for integers. Parameters that the package makes all alike
(zero gates, layer scales of 1e-6) are moved, so that every branch counts, and batch norms get the statistics of random inputs.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

ENTRIES = pathlib.Path(__file__).resolve().parent.parent / "sweep.json"
SEED = 70


def make_inputs(entry, random):
    """One sample: NAME to array."""
    sample = {}
    for name, what in entry["inputs"].items():
        what = what if isinstance(what, dict) else {"shape": what}
        if "below" in what:
            sample[name] = random.integers(what.get("from", 0), what["below"], what["shape"])
        else:
            sample[name] = random.standard_normal(what["shape"]).astype(np.float32)
    return sample


def make_network(entry):
    settings = dict(entry.get("settings", {}))
    if entry["package"] == "timm":
        import timm
        return timm.create_model(entry["network"], **settings)
    if entry["package"] == "torchvision":
        import torchvision
        module, _, name = entry["network"].rpartition(".")
        module = getattr(torchvision.models, module) if module else torchvision.models
        return getattr(module, name)(weights=None, **settings)
    import transformers
    network = getattr(transformers, entry["network"])
    config = getattr(transformers, entry["config"]) if "config" in entry else network.config_class
    return network(config(**settings))


def move_constants(network, torch):
    """Parameters whose elements are all alike get noise of a tenth."""
    for parameter in network.parameters():
        if parameter.numel() > 1 and parameter.is_floating_point() and torch.all(parameter == parameter.flatten()[0]):
            parameter.data += 0.1 * torch.randn_like(parameter)


def set_statistics(network, arguments, torch):
    norms = [m for m in network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None
        norm.train()
    if norms:
        images = [torch.randn(4, *a.shape[1:]) if a.is_floating_point() else a for a in arguments]
        network(*images)
    for norm in norms:
        norm.eval()


def first_tensors(result, torch, wanted):
    """The tensors of a network's result, whatever holds them, in order; `wanted` names some of a mapping."""
    if isinstance(result, torch.Tensor):
        return [result]
    if wanted:
        return [result[key] for key in wanted]
    values = result.values() if isinstance(result, dict) else result if isinstance(result, (list, tuple)) else []
    return [tensor for value in values for tensor in first_tensors(value, torch, None)]


def export(entry, exporter, path):
    import torch
    torch.manual_seed(SEED)
    network = make_network(entry).eval()
    move_constants(network, torch)
    sample = make_inputs(entry, np.random.default_rng(SEED))

    class Positional(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, *arguments):
            if entry["package"] == "transformers":
                result = self.network(**dict(zip(sample, arguments)), **entry.get("arguments", {}))
            else:
                result = self.network(*arguments)
            return tuple(first_tensors(result, torch, entry.get("outputs")))

    wrapped, arguments = Positional(), tuple(torch.from_numpy(value) for value in sample.values())
    with torch.no_grad():
        set_statistics(wrapped, arguments, torch)
        settings = {"input_names": list(sample), "dynamo": exporter == "dynamo"}
        if exporter == "dynamo":
            settings["external_data"] = False
        torch.onnx.export(wrapped.eval(), arguments, str(path), **settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("name")
    parser.add_argument("exporter", choices=("dynamo", "script"))
    parser.add_argument("-o", dest="path", type=pathlib.Path, required=True)
    options = parser.parse_args()
    try:
        export(json.loads(ENTRIES.read_text())[options.name], options.exporter, options.path)
    except Exception as error:  # noqa: BLE001  whatever an exporter raises is a line of the table
        sys.exit(f"error: {type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}")


if __name__ == "__main__":
    main()
