#!/usr/bin/env python3
"""Whole models, bit for bit: every instruction set of this machine against the scalar reference.

    build/benchmark-python/bin/python benchmark/exactness.py --halftone build/bin/halftone \
        -o build/benchmark

For each model: calibrate and quantize it once, compile the stage file for the reference target and for each target that
this CPU can run, serially and with two threads, and compare the outputs of a few evaluation photographs. AMX and AVX-VNNI
are emulated where the CPU lacks them (test/Emulator; the build target HalftoneEmulator). A difference of one bit ends the run
with status 1. Models and photographs that the output folder has (of run.py too) are not made again.
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
import emulator  # noqa: E402
from same_bits import all_targets  # noqa: E402

MODELS = ["efficientnet_lite0", "resnet50"]


def text_of(*command, environment=None):
    """What a command prints; its failure ends the run."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
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


def missing_features(halftone, library, environment=None):
    """What the library needs and the runtime does not find, from the message that names it."""
    done = subprocess.run([halftone, "info", library], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    named = re.search(r"needs CPU features that this machine does not have: (.*?)\. Compile", done.stdout)
    if done.returncode and not named:
        raise SystemExit(f"halftone info {library}\n{done.stdout}\nfailed with status {done.returncode}")
    return named[1] if named else ""


def outputs(halftone, library, samples, threads, environment=None):
    """The logits, as bytes, and their number."""
    results = library.with_suffix(".npz")
    text_of(halftone, "run", library, "--input", samples, "--threads", threads, "-o", results, environment=environment)
    logits = np.load(results)["logits"]
    return logits.tobytes(), logits.size


def check_target(name, target, halftone, stage, samples, expected):
    """Compares one target's outputs; returns how it was run."""
    if target.startswith("arm") != (platform.machine() == "aarch64"):
        print(f"{name}: {target} is not run: this is another architecture", flush=True)
        return "not run"
    library = stage.with_name(f"{name}-{target}.so")
    text_of(halftone, "compile", stage, f"--target-cpu={target}", "-o", library)
    build, how, environment = halftone.parent.parent, "native", None
    missing = missing_features(halftone, library)
    if missing and emulator.path(build).exists():
        how, environment = "emulated", emulator.environment(build)
        missing = missing_features(halftone, library, environment)
    if missing:
        print(f"{name}: {target} is not run: this CPU has no {missing}", flush=True)
        return "not run"
    for threads in (1, 2):
        logits, elements = outputs(halftone, library, samples, threads, environment)
        if logits != expected:
            raise SystemExit(f"{name}: {target}, threads {threads}, differs from the reference")
        print(f"{name}: {target} equals the reference bit for bit, {elements} elements of {len(np.load(samples)['image'])} photographs, "
              f"threads {threads}, {how}", flush=True)
    return how


def check(name, halftone, output, count):
    """How each target was run: natively, emulated, or not."""
    folder = output / "exactness"
    folder.mkdir(parents=True, exist_ok=True)
    model, calibration, samples = prepare(name, output, count)
    statistics, stage = folder / f"{name}.stats", folder / f"{name}.mlirbc"
    reference = folder / f"{name}-reference.so"
    text_of(halftone, "calibrate", model, "--data", calibration, "-o", statistics)
    text_of(halftone, "quantize", model, "--stats", statistics, "-o", stage)
    text_of(halftone, "compile", stage, "--target-cpu=reference", "-o", reference)
    expected = outputs(halftone, reference, samples, 1)[0]
    return {target: check_target(name, target, halftone, stage, samples, expected) for target in all_targets(halftone, folder)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--samples", type=int, default=3, help="evaluation photographs (default 3)")
    options = parser.parse_args()
    ways = {}
    for name in options.models:
        compared = check(name, options.halftone.resolve(), options.output, options.samples)
        if set(compared.values()) == {"not run"}:
            raise SystemExit(f"{name}: no target was compared")
        for target, how in compared.items():
            ways.setdefault(how, {})[target] = None
    for how, targets in ways.items():
        print(f"{how}: {', '.join(targets)}")
    print(f"{len(options.models)} models are exact")


if __name__ == "__main__":
    main()
