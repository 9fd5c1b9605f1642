#!/usr/bin/env python3
"""Shows that every instruction set gives the same bits.

    utils/same_bits.py [--build DIR] [--max-batch N] [MODEL ...]

Compiles each model for every target that Halftone has, runs it on this machine where its CPU can (with test/Emulator for the
AMX and AVX-VNNI that it lacks) and by Debian's qemu-user where that can (AVX2 and Arm), and compares all outputs with those of the
scalar reference, run natively. A model is what `halftone
compile` takes; without one: the cases of the kernel tests, and the demo model in floats and in integers. The exit status
is 0 if nothing differs; what could not run is named.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import emulator

ROOT = pathlib.Path(__file__).resolve().parent.parent
LLVM = "/usr/lib/llvm-22/bin/"
EMULATORS = {"x86-64": ["qemu-x86_64", "-cpu", "max"],
             "aarch64": ["qemu-aarch64", "-cpu", "max", "-L", "/usr/aarch64-linux-gnu"]}
# Bytes readable behind each input and output. QEMU 7.2 reads 16 bytes for the 4 of a scalar fused multiply-add, which the page
# without access behind them would report. Natively nothing behind them can be read.
EMULATOR_SLACK = {"x86-64": 16, "aarch64": 0}
LACKS_FEATURES = 3  # the status of artefact_bits


def run(command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def checked(command):
    result = run(command)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stderr}")
    return result.stdout


def all_targets(halftone, folder):
    """The names of all targets, from the error that lists them."""
    model = folder / "empty.mlir"
    model.write_text("func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> { return %x : tensor<1xf32> }\n")
    message = run([halftone, "compile", model, "--target-cpu=?", "-o", folder / "empty.so"]).stderr
    listed = re.search(r"known are native, (.*), reference", message)
    if not listed:
        sys.exit(f"halftone compile did not list its targets:\n{message}")
    return [name.split()[0] for name in listed[1].split(", ")]


def build_runners(folder):
    """The program that prints digests, for each architecture; None where it cannot be built."""
    source = [ROOT / "test/Target/Inputs/artefact_bits.c", "-O2", "-I", ROOT / "include", "-lm", "-o"]
    runners = {"x86-64": folder / "bits.x86-64", "aarch64": folder / "bits.aarch64"}
    checked([LLVM + "clang", *source, runners["x86-64"]])
    if run([LLVM + "clang", "--target=aarch64-linux-gnu", "-fuse-ld=lld", *source, runners["aarch64"]]).returncode:
        runners["aarch64"] = None
    return runners


def default_models(build, folder):
    """The kernel cases and the demo model, as files that `halftone compile` takes."""
    kernels, integer = folder / "kernels.mlir", folder / "demo-int8.mlir"
    kernels.write_text(checked([sys.executable, ROOT / "test/Codegen/Inputs/kernel_cases.py"]))
    demo = ROOT / "models/demo/fashion.onnx"
    checked([build / "bin/halftone", "build", demo, "--data", ROOT / "models/demo/calibration.npz",
             "--dim", "batch=1..3", "--stop-after=integer", "-o", integer])
    float_demo = folder / "demo-float.mlir"
    checked([build / "bin/halftone", "import", demo, "--dim", "batch=1..3", "-o", float_demo])
    return [kernels, integer, float_demo]


def compare(command, expected, **options):
    """What the table says of one run."""
    try:
        result = run(command, **options)
    except FileNotFoundError:
        return f"missing: {command[0]} is not installed"
    if result.returncode == LACKS_FEATURES:
        return "missing: " + result.stdout.strip()
    if result.returncode:
        return f"NO: status {result.returncode} {result.stderr.strip()}"
    return "yes" if result.stdout == expected else "NO"


def compare_target(target, artefact, runners, expected, batch, build):
    """Pairs of (how it ran, the answer)."""
    architecture = "aarch64" if target.startswith("arm") else "x86-64"
    program = runners[architecture]
    if not program:
        return [("by qemu", "missing: no C library for AArch64 (libc6-dev-arm64-cross)")]
    answers = []
    if architecture == "x86-64":
        answers.append(("natively", compare([program, artefact, batch], expected)))
        if answers[0][1].startswith("missing") and emulator.emulated_features(build):
            answers.append(("by test/Emulator", compare([program, artefact, batch], expected, env=emulator.environment(build))))
    answers.append(("by qemu", compare([*EMULATORS[architecture], program, artefact, batch,
                                        EMULATOR_SLACK[architecture]], expected)))
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--max-batch", type=int, default=3, help="largest batch that is run (default 3)")
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    options.build = options.build.resolve()
    halftone = options.build / "bin/halftone"
    differs = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        runners = build_runners(folder)
        targets = all_targets(halftone, folder)
        for model in options.models or default_models(options.build, folder):
            reference = folder / "reference.so"
            checked([halftone, "compile", model, "--target-cpu=reference", "-o", reference])
            expected = checked([runners["x86-64"], reference, options.max_batch])
            print(f"{model.name}: {len(expected.splitlines())} outputs of the reference", flush=True)
            for target in targets:
                artefact = folder / "model.so"
                checked([halftone, "compile", model, f"--target-cpu={target}", "-o", artefact])
                for how, answer in compare_target(target, artefact, runners, expected, options.max_batch, options.build):
                    differs |= answer.startswith("NO")
                    print(f"  {target:24} {how:16}  same bits: {answer}", flush=True)
    sys.exit(differs)


if __name__ == "__main__":
    main()
