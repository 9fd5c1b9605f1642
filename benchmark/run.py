#!/usr/bin/env python3
"""Fidelity, latency and memory against onnxruntime, by one command.

    python -m venv build/benchmark-python
    build/benchmark-python/bin/pip install -r benchmark/requirements.txt
    build/benchmark-python/bin/python benchmark/run.py --halftone build/bin/halftone \
        -o build/benchmark

For each model: export it, make its data, quantize it with onnxruntime (MinMax and
Entropy) and with halftone on the same calibration samples, run all on the same
evaluation samples, and print fidelity, latency and memory side by side. What exists in the
output folder is not made again. Numbers are also written to results.json there.
"""

import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent

# For each model: the calibration methods of onnxruntime, on how many calibration and
# evaluation samples (None: all), and on how many samples the float outputs are compared.
MODELS = {
    "fashion": {"methods": ["minmax", "entropy"], "calibration": None, "evaluation": None,
                "float": 200},
    "efficientnet_lite0": {"methods": ["minmax", "entropy"], "calibration": None,
                           "evaluation": None, "float": 50},
    # Its weights are random: for float equality, speed and memory, not for fidelity.
    "resnet50": {"methods": ["minmax"], "calibration": 32, "evaluation": 20, "float": 10},
}


def call(*command):
    """Runs a command; its output is shown, its failure ends the run."""
    command = [str(word) for word in command]
    print("+", " ".join(command), flush=True)
    status = subprocess.run(command).returncode
    if status:
        raise SystemExit(f"{command[0]} failed with status {status}")


def script(name, *arguments):
    call(sys.executable, "-W", "ignore", HERE / name, *arguments)


def make(path, *arguments):
    """Runs a script of this folder unless what it writes is already there."""
    if not path.exists():
        script(*arguments)
    return path


def prepare(name, output):
    """The float model, its calibration samples and its evaluation samples."""
    if name == "fashion":
        test = output / "fashion-test.npz"
        if not test.exists():
            call(sys.executable, ROOT / "utils" / "make_fashion_npz.py", "-o", test)
        demo = ROOT / "models" / "demo"
        return demo / "fashion.onnx", demo / "calibration.npz", test
    photographs = output / "photographs"
    evaluation = make(photographs / "evaluation.npz", "photographs.py", "-o", photographs)
    calibration = photographs / "calibration.npz"
    extra = ["--photographs", calibration] if name == "resnet50" else []
    model = make(output / "models" / f"{name}.onnx", f"models/{name}.py", *extra,
                 "-o", output / "models")
    return model, calibration, evaluation


def quantize_with_peer(name, model, calibration, evaluation, folder):
    settings = MODELS[name]
    if (folder / "fidelity.json").exists():
        return
    limit = ["--samples", settings["calibration"]] if settings["calibration"] else []
    script("peers_onnxruntime.py", model, "--calibration", calibration, "--evaluation",
           evaluation, "--methods", *settings["methods"], *limit, "-o", folder)


def build_ours(name, halftone, model, calibration, folder):
    """The int8 and the float library; both always anew, the compiler may have changed."""
    quantized, plain = folder / "int8.so", folder / "float.so"
    batch = ["--dim", "batch=1..32"] if name == "fashion" else []
    call(halftone, "build", model, "--data", calibration, *batch, "-o", quantized)
    call(halftone, "build", model, "--float", *batch, "-o", plain)
    return quantized, plain


def spread_samples(data, count, path):
    """`count` evenly spaced samples of an .npz as another .npz."""
    import numpy as np
    with np.load(data) as arrays:
        total = len(arrays[arrays.files[0]])
        chosen = np.linspace(0, total - 1, min(count, total)).round().astype(int)
        np.savez_compressed(path, **{name: arrays[name][chosen] for name in arrays.files})
    return path


def accuracy(outputs, labelled):
    import numpy as np
    with np.load(outputs) as got, np.load(labelled) as data:
        return float((got["logits"].argmax(1) == data["label"]).mean())


def measure(name, halftone, output):
    model, calibration, evaluation = prepare(name, output)
    peers, ours = output / "onnxruntime" / name, output / "halftone" / name
    ours.mkdir(parents=True, exist_ok=True)
    few = spread_samples(evaluation, MODELS[name]["float"], ours / "few.npz")
    if MODELS[name]["evaluation"]:
        evaluation = spread_samples(evaluation, MODELS[name]["evaluation"],
                                    ours / "evaluation.npz")
    quantize_with_peer(name, model, calibration, evaluation, peers)
    quantized, plain = build_ours(name, halftone, model, calibration, ours)

    call(halftone, "run", plain, "--input", few, "-o", ours / "float.npz")
    call(halftone, "run", quantized, "--input", evaluation, "-o", ours / "int8.npz")
    methods = MODELS[name]["methods"]
    results = {}

    print(f"\n{name}: our float against onnxruntime's")
    script("fidelity.py", model, "--data", few, "--json", ours / "equality.json",
           f"halftone float={ours / 'float.npz'}")
    print(f"\n{name}: int8 against float")
    script("fidelity.py", model, "--data", evaluation, "--json", ours / "fidelity.json",
           f"halftone int8={ours / 'int8.npz'}",
           *[f"onnxruntime {m}={peers / m}.npz" for m in methods])
    contenders = [f"onnxruntime float={model}", f"onnxruntime int8={peers / 'minmax.onnx'}",
                  f"halftone float={plain}", f"halftone int8={quantized}"]
    for part in ("latency", "memory"):
        print(f"\n{name}: {part}")
        script(f"{part}.py", "--data", few, "--json", ours / f"{part}.json", *contenders)
    for part in ("equality", "fidelity", "latency", "memory"):
        results[part] = json.loads((ours / f"{part}.json").read_text())
    if name == "fashion":
        files = {"onnxruntime float": peers / "float.npz", "halftone int8": ours / "int8.npz",
                 **{f"onnxruntime {m}": peers / f"{m}.npz" for m in methods}}
        results["accuracy"] = {k: accuracy(f, evaluation) for k, f in files.items()}
        for key, value in results["accuracy"].items():
            print(f"{key}: {100 * value:.2f} % of the test images")
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    results = {}
    for name in options.models:
        results[name] = measure(name, options.halftone.resolve(), options.output)
        (options.output / "results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
