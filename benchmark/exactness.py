#!/usr/bin/env python3
"""Whole models, bit for bit: every instruction set of this machine against the scalar reference.

    build/benchmark-python/bin/python benchmark/exactness.py --halftone build/bin/halftone \
        -o build/benchmark

For each model: calibrate and quantize it once, compile the stage file for the reference target and for each target that
this CPU can run, serially and with two threads, and compare the outputs of a few evaluation photographs. A difference of
one bit ends the run with status 1. Models and photographs that the output folder has (of run.py too) are not made again.
"""

import argparse
import pathlib
import platform
import re
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "utils"))
from same_bits import all_targets  # noqa: E402

# How the names of a machine's targets begin.
FAMILIES = {"x86_64": "x86-64", "aarch64": "arm"}
MODELS = ["efficientnet_lite0", "resnet50"]


def text_of(*command):
    """What a command prints; its failure ends the run."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}\nfailed with status {done.returncode}")
    return done.stdout


def make(path, script, *arguments):
    """Runs a script of this folder unless what it writes is already there."""
    if not path.exists():
        print(f"making {path}", flush=True)
        text_of(sys.executable, "-W", "ignore", HERE / script, *arguments, "-o", path.parent)
    return path


def prepare(name, output, count):
    """The float model, its calibration samples, and `count` evenly spaced evaluation samples."""
    calibration = output / "photographs" / "calibration.npz"
    evaluation = make(output / "photographs" / "evaluation.npz", "photographs.py")
    extra = ["--photographs", calibration] if name == "resnet50" else []
    model = make(output / "models" / f"{name}.onnx", f"models/{name}.py", *extra)
    samples = output / "exactness" / "samples.npz"
    images = np.load(evaluation)["image"]
    np.savez(samples, image=images[np.linspace(0, len(images) - 1, count).round().astype(int)])
    return model, calibration, samples


def missing_features(halftone, library):
    """What the library needs and this CPU has not."""
    needs = re.search(r"needs of the CPU: (.*)", text_of(halftone, "info", library))[1].split(",")
    flags = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)[1].split()
    return [need for need in needs if need not in flags]


def outputs(halftone, library, samples, threads):
    """The logits, as bytes, and their number."""
    results = library.with_suffix(".npz")
    text_of(halftone, "run", library, "--input", samples, "--threads", threads, "-o", results)
    logits = np.load(results)["logits"]
    return logits.tobytes(), logits.size


def check(name, halftone, output, count):
    """Returns the number of targets that were compared."""
    folder = output / "exactness"
    folder.mkdir(parents=True, exist_ok=True)
    model, calibration, samples = prepare(name, output, count)
    statistics, stage = folder / f"{name}.stats", folder / f"{name}.mlirbc"
    reference = folder / f"{name}-reference.so"
    text_of(halftone, "calibrate", model, "--data", calibration, "-o", statistics)
    text_of(halftone, "quantize", model, "--stats", statistics, "-o", stage)
    text_of(halftone, "compile", stage, "--target-cpu=reference", "-o", reference)
    expected, elements = outputs(halftone, reference, samples, 1)
    compared = 0
    for target in all_targets(halftone, folder):
        if not target.startswith(FAMILIES.get(platform.machine(), "")):
            print(f"{name}: {target} is not run: this is another architecture", flush=True)
            continue
        library = folder / f"{name}-{target}.so"
        text_of(halftone, "compile", stage, f"--target-cpu={target}", "-o", library)
        missing = missing_features(halftone, library)
        if missing:
            print(f"{name}: {target} is not run: this CPU has no {', '.join(missing)}", flush=True)
            continue
        for threads in (1, 2):
            if outputs(halftone, library, samples, threads)[0] != expected:
                raise SystemExit(f"{name}: {target}, threads {threads}, differs from the reference")
            print(f"{name}: {target} equals the reference bit for bit, {elements} elements of {count} photographs, "
                  f"threads {threads}", flush=True)
        compared += 1
    return compared


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--samples", type=int, default=3, help="evaluation photographs (default 3)")
    options = parser.parse_args()
    for name in options.models:
        if not check(name, options.halftone.resolve(), options.output, options.samples):
            raise SystemExit(f"{name}: no target was compared")
    print(f"{len(options.models)} models are exact")


if __name__ == "__main__":
    main()
