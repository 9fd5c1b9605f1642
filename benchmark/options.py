#!/usr/bin/env python3
"""Walks every value of every option of `halftone quantize`, build, compile, prune, train and calibrate over models.

    python benchmark/options.py --halftone build/bin/halftone -o build/options models/demo/fashion.onnx=models/demo/calibration.npz

Options and the values that are named come from the help, so that a new one cannot be forgotten: an option with free values has
examples in VALUES below, sound ones and unsound ones. Each value gives one run. It must end in one of two ways:

  works     status 0, and the result does what a model should: it compiles, runs, gives finite numbers in the float model's shape
            (their SQNR against it is printed); statistics can be read, reports are there
  refused   another status, and one message that says why

A crash, a message without a reason, a value of the help that is refused and an example that should be refused but is not are
failures. The table is printed, and the status says whether there was one. With --quick the values that take long are left out.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import numpy as np

COMMANDS = ["calibrate", "quantize", "build", "compile", "prune", "train"]

# Examples of options whose values the help does not list. A value that begins with "!" has to be refused. {folder} is the place of
# made files. None stands for the option alone.
VALUES = {
    "activations": [], "augment": ["flip", "shift=1", "flip,erase=2", "!shift", "!turn=3"], "batch": ["4", "!0", "!-1", "!many"],
    "checkpoint": ["{folder}/point.npz"], "cost": ["{folder}/cost.json", "!{folder}/data.npz", "!{folder}/none.json"],
    "data": ["{folder}/data.npz", "!{folder}/none.npz", "!{folder}/empty", "!{folder}/misnamed.npz"],
    "decay": ["0.001", "!-1", "!much"], "dim": ["!batch", "!batch=0", "!nothing=3"], "elide-weights": [None], "ends": [None],
    "epochs": ["1", "!0", "!-2"], "equalize": [None], "exclude": [".*", "!("], "float": [None],
    "float-ops": ["kind:contraction", "kind:avg_pool", ".*", "!kind:nothing", "!("],
    "granularity": ["tensor", "channel", "!group:15", "!group:257", "!row"], "held-out": ["4", "!-1", "!100000"],
    "input": ["!nothing: u8", "!x"], "labels": ["label", "!nothing"], "learn-scales": [None], "loss": ["cross-entropy", "!hinge"],
    "max-bytes": ["50%", "!0%", "!some"], "max-drop": ["50", "!-1", "!x"], "max-latency": ["150%", "!-3", "!fast"], "merge": ["!"],
    "method": ["magnitude", "obs", "!random"], "metric-command": ["{folder}/metric", "!{folder}/none"], "momentum": ["0.5", "!1", "!-1"],
    "nesterov": [None], "o": ["{folder}/none/result", ], "only": [".*", "!nothing", "!("], "optimizer": ["sgd", "adam", "!lion"],
    "pattern": ["blocks", "unstructured", "2:4", "1:2", "!4:2", "!rows"], "pause-after": ["1", "!0"], "percentile": ["99.9", "100", "!50", "!101", "!x"],
    "bits-epochs": ["0:1", "!1:0", "!x"], "bits-from": ["6", "!1", "!9"], "distill": ["blocks", ".*", "!("], "distill-share": ["0.5", "!0", "!-1"],
    "prune": ["0.5", "!1", "!-1"], "prune-ends": [None], "prune-epochs": ["0:1", "!1:0", "!x"], "prune-every": ["1", "!-1"],
    "prune-exclude": [".*", "!("], "prune-from": ["0.2", "!0.9", "!-1"], "prune-pattern": ["blocks", "unstructured", "!rows"],
    "quantize-from-epoch": ["1", "!-1"],
    "predict": [None], "rate": ["0.001", "!-1"], "recipe": ["{folder}/recipe.yaml", "!{folder}/misspelt.yaml", "!{folder}/none.yaml"],
    "report": ["{folder}/report.html", "{folder}/report.json", "!{folder}/report.txt"], "resume": ["!"], "save-choice": ["{folder}/choice"],
    "save-stats": ["{folder}/saved.stats", "!{folder}/none/saved.stats"], "schedule": ["cosine", "constant", "!steps"], "seed": ["7"],
    "smooth": ["0", "0.5", "1", "!-0.5", "!2", "!much"], "smoothing": ["0.1", "!1", "!-1"], "sparsity": ["0", "0.5", "!1", "!-1", "!half"],
    "stats": ["{folder}/model.stats", "!{folder}/none.stats", "!{folder}/recipe.yaml"], "stop-after": ["!nothing"],
    "target-cpu": ["native", "reference", "!z80"], "teacher": ["{model}", "!{folder}/none.onnx"], "teacher-share": ["0.5", "!2", "!-1"],
    "temperature": ["2", "!0", "!-1"], "threads": ["1", "2", "!-1"], "warmup": ["0.1", "!2", "!-1"], "weights": ["!int9", "!codebook1", "!nf5"],
}
# With groups only weights that leave room for multipliers go.
ALSO = {"granularity": {"group:16": ["--weights=int4"], "group:32": ["--weights=int4"], "group:256": ["--weights=int4"], "group:64": ["--weights=log3"],
                        "!group:32": ["--weights=int8"]},
        "percentile": {None: ["--estimator=percentile"]}, "labels": {}, "erase": {}}
# Options that need others to mean something.
NEEDS = {"percentile": ["--estimator=percentile"], "metric": ["--max-drop=60"], "objective": ["--max-bytes=60%"], "save-choice": ["--max-bytes=60%"],
         "metric-command": ["--max-drop=60"], "nesterov": ["--optimizer=sgd"], "teacher-share": ["--teacher={model}"],
         "temperature": ["--teacher={model}"], "learn-scales": ["--stats={folder}/model.stats"], "predict": [], "cost@prune": ["--predict"],
         "target-cpu@prune": ["--predict"], "distill": ["--teacher={model}"], "distill-share": ["--teacher={model}", "--distill=blocks"],
         "bits-from": ["--stats={folder}/model.stats", "--weights=int4"],
         "bits-epochs": ["--stats={folder}/model.stats", "--weights=int4", "--bits-from=6"],
         "quantize-from-epoch": ["--stats={folder}/model.stats", "--epochs=2"],
         **{f"prune-{name}": ["--prune=0.5"] for name in ("ends", "epochs", "every", "exclude", "from", "pattern", "scope")}, "pause-after": ["--checkpoint={folder}/pause.npz"]}
# What an option replaces in the command's usual words.
WITHOUT = {"activations=dynamic": ["--data", "--stats"], "activations=float": ["--data", "--stats"], "float": ["--data"]}
SLOW = {"rounding=gptq", "rounding=adaround", "method=obs", "max-drop", "max-bytes", "max-latency", "metric", "metric-command", "objective", "save-choice"}


class Walk:
    def __init__(self, halftone, folder, model, data, quick):
        self.halftone, self.folder, self.model, self.quick = halftone, folder, model, quick
        self.rows, self.failures = [], 0
        self.prepare(data)

    def run(self, *words):
        start = time.time()
        done = subprocess.run([self.halftone, *map(str, words)], capture_output=True, text=True, errors="replace", timeout=900)
        return done.returncode, done.stdout, done.stderr, time.time() - start

    def must(self, *words):
        status, _, errors, _ = self.run(*words)
        if status:
            sys.exit(f"{' '.join(map(str, words))}: {errors}")

    def prepare(self, data):
        """Few samples with labels, statistics, a float model to compare with, and the files of the examples."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with np.load(data) as arrays:
            samples = {name: arrays[name][:12] for name in arrays.files if name != "label"}
        names = list(samples)
        self.must("build", self.model, "--float", "-o", self.folder / "float.so")
        np.savez(self.folder / "plain.npz", **samples)
        self.must("run", self.folder / "float.so", "--input", self.folder / "plain.npz", "-o", self.folder / "float.npz")
        with np.load(self.folder / "float.npz") as outputs:
            first = outputs[outputs.files[0]]
            self.shape = first.shape
            labels = first.reshape(len(first), -1).argmax(1).astype(np.int64)
        self.classifies = first.ndim == 2
        np.savez(self.folder / "data.npz", label=labels, **samples)
        np.savez(self.folder / "misnamed.npz", nothing=samples[names[0]])
        (self.folder / "empty").mkdir(exist_ok=True)
        (self.folder / "recipe.yaml").write_text("- {kind: contraction, weights: int4, granularity: channel}\n")
        (self.folder / "misspelt.yaml").write_text("- {kind: contraction, wieghts: int4}\n")
        metric = self.folder / "metric"
        metric.write_text("#!/bin/sh\necho 50\n")
        metric.chmod(0o755)
        status, out, _, _ = self.run("info", self.folder / "float.so")
        self.must("calibrate", self.model, "--data", self.folder / "data.npz", "-o", self.folder / "model.stats")
        self.must("calibrate", self.model, "--equalize", "--data", self.folder / "data.npz", "-o", self.folder / "equalized.stats")
        self.must("quantize", self.model, "--stats", self.folder / "model.stats", "-o", self.folder / "quantized.mlirbc")
        # The built-in table of this CPU's targets, as a file.
        tables = pathlib.Path(__file__).resolve().parent.parent / "lib/Codegen/CostTables"
        fitting = [table for table in tables.glob("*.json") if f"target: {table.stem}" in out] or list(tables.glob("x86-64-v3.json"))
        (self.folder / "cost.json").write_text(fitting[0].read_text())

    def fill(self, text):
        return text.replace("{folder}", str(self.folder)).replace("{model}", str(self.model))

    # ------------------------------------------------------------------ cases

    def options(self, command):
        """{option: values that the help names}, from `halftone COMMAND --help`."""
        status, text, errors, _ = self.run(command, "--help")
        assert status == 0, errors
        text = text.split("General options:")[1].split("Generic Options:")[0]
        options, last = {}, None
        for line in text.splitlines():
            if found := re.match(r"\s+--?([a-z-]+)(=<.*?>)?\s+- (.*)", line):
                last = found.group(1)
                options[last] = self.listed(last, found.group(3))
            elif found := re.match(r"\s+=(\S+)\s+- ", line):
                options[last].append(found.group(1))
        return options

    @staticmethod
    def listed(option, description):
        """Values that a description lists in words."""
        if option == "weights":
            return re.search(r"\(default int8\): (.*?)\. ", description).group(1).split(", ")
        if option == "stop-after":
            return description.split(": ")[1].split(", ")
        return []

    def cases(self, command):
        """(option, value, whether it has to be refused)."""
        for option, named in self.options(command).items():
            if not named and option not in VALUES:
                yield option, "no example in benchmark/options.py", None
                continue
            for value in named:
                yield option, value, False
            for value in VALUES.get(option, []):
                refused = value is not None and value.startswith("!")
                yield option, (value[1:] if refused else value), refused
            for value in ALSO.get(option, {}):
                if value is not None:
                    yield option, value.lstrip("!"), value.startswith("!")

    def words(self, command, option, value):
        """The command with the option in it, and its output."""
        folder, extension = self.folder, ".mlirbc"
        key = f"{option}={value}"
        words = {"calibrate": [self.model, "--data", folder / "data.npz"], "quantize": [self.model, "--stats", folder / "model.stats"],
                 "build": [self.model, "--data", folder / "data.npz"], "compile": [folder / "quantized.mlirbc"],
                 "prune": [self.model], "train": [self.model, "--data", folder / "data.npz", "--labels", "label", "--batch", "4", "--rate", "1e-5"]}[command]
        words = list(map(str, words))
        extra = list(map(self.fill, NEEDS.get(f"{option}@{command}", NEEDS.get(option, []))))
        extra += ALSO.get(option, {}).get(value, ALSO.get(option, {}).get(f"!{value}", []))
        data = ["--data", str(folder / "data.npz")]
        if command == "quantize":
            selects = option.startswith("max-") or any(word.startswith("--max-") for word in extra)
            if selects or key in ("rounding=gptq", "rounding=adaround"):
                extra += data
            if option == "data":
                extra += ["--rounding=gptq"]
            if option == "equalize":
                words[2] = str(folder / "equalized.stats")
        if command == "prune" and option != "predict" and option != "pattern" or command == "prune" and value in ("blocks", "unstructured", None):
            extra += [] if option in ("sparsity",) else ["--sparsity=0.5"]
        if command == "prune" and key == "method=obs":
            extra += data
        if command == "train":
            if option in ("activations", "estimator", "float-ops", "granularity", "percentile", "recipe", "rounding", "smooth", "weight-scales", "weights"):
                extra += ["--stats", str(folder / "model.stats")]
        for name in WITHOUT.get(key, WITHOUT.get(option, [])):
            if name in words:
                del words[words.index(name):words.index(name) + 2]
        for name in ("--data", "--stats", "--labels", "--batch", "--rate"):  # the option takes the place of the usual words
            if f"--{option}" == name and name in words:
                del words[words.index(name):words.index(name) + 2]
        if option == "stop-after":
            extension = ".so" if value == "target" else ".mlirbc"
        elif option == "elide-weights":
            extension = ".mlir"
            extra += ["--stop-after=integer"] if command == "build" else []
        elif command in ("build", "compile"):
            extension = ".so"
        elif command == "calibrate":
            extension = ".stats"
        output = folder / f"result{extension}"
        output.unlink(missing_ok=True)
        asked = f"--{option}" if option != "o" else "-o"
        words += extra + ([asked] if value in (None, "") else [f"{asked}={self.fill(value)}"] if option != "o" else [])
        if option == "o":
            output = pathlib.Path(self.fill(value))
        if option != "predict" and "--predict" not in words:
            words += ["-o", str(output)]
        return [command, *words], output

    # ----------------------------------------------------------------- checks

    def check(self, command, option, value, output):
        """What the result does, or a ValueError."""
        if option in ("predict",) or command == "prune" and option in ("cost", "target-cpu"):
            return "printed"
        for name, kind in (("report", "report"), ("save-stats", "statistics"), ("save-choice", "choice"), ("checkpoint", "checkpoint")):
            if option == name and not os.path.getsize(self.fill(value)):
                raise ValueError(f"the {kind} is empty")
        if command == "calibrate":
            self.read_statistics(output)
            return "statistics read"
        if option == "elide-weights":
            return "text to read"
        if option == "pause-after":
            return "paused"
        library = output
        if output.suffix != ".so":
            status, _, errors, _ = self.run("build", output, *self.float_words(output), "-o", self.folder / "check.so")
            if status:
                raise ValueError(f"does not compile: {errors.strip().splitlines()[-1]}")
            library = self.folder / "check.so"
        return self.fidelity(library)

    def float_words(self, output):
        """A file of an early stage is checked in floats."""
        status, text, _, _ = self.run("info", output)
        return ["--float"] if re.search(r"stage: (import|calibration|precision)", text) else []

    def read_statistics(self, path):
        counts = json.loads(pathlib.Path(path).read_text())
        if counts["samples"] < 1 or not counts["values"]:
            raise ValueError("no statistics")

    def fidelity(self, library):
        status, _, errors, _ = self.run("run", library, "--input", self.folder / "plain.npz", "-o", self.folder / "result.npz")
        if status:
            raise ValueError(f"does not run: {errors.strip().splitlines()[-1]}")
        with np.load(self.folder / "result.npz") as result, np.load(self.folder / "float.npz") as exact:
            a, b = (arrays[exact.files[0]].astype(np.float64) for arrays in (exact, result))
        if a.shape != b.shape or not np.isfinite(b).all():
            raise ValueError(f"gives {b.shape} or no finite numbers")
        noise = ((a - b) ** 2).sum()
        return "as float" if noise == 0 else f"{10 * np.log10((a ** 2).sum() / noise):.1f} dB"

    def judge(self, command, option, value, refused):
        """(outcome, detail, seconds)."""
        if refused is None:
            return "FAILED", value, 0
        words, output = self.words(command, option, value)
        status, out, errors, seconds = self.run(*words)
        messages = [line for line in errors.splitlines() if re.search(r"\berror: |^halftone.*: (for the|Unknown|Cannot|.* requires)", line)]
        if status < 0 or status > 128 or "Stack dump" in errors or "Assertion" in errors:
            return "FAILED", f"crash: {' '.join(words)}", seconds
        if status == 0:
            if refused:
                return "FAILED", f"accepted, but makes no sense: {' '.join(words)}", seconds
            try:
                return "works", self.check(command, option, value, output), seconds
            except (ValueError, OSError) as problem:
                return "FAILED", f"{problem}: {' '.join(words)}", seconds
        reason = re.sub(r".*?error: |^halftone: ", "", messages[0]) if messages else ""
        if len(messages) != 1 or len(reason) < 10:
            return "FAILED", f"{len(messages)} messages: {errors.strip()[-300:]!r}: {' '.join(words)}", seconds
        return "refused", reason, seconds

    def walk(self, commands):
        for command in commands:
            seen = set()
            for option, value, refused in self.cases(command):
                if (option, value) in seen or self.quick and (option in SLOW or f"{option}={value}" in SLOW):
                    continue
                seen.add((option, value))
                outcome, detail, seconds = self.judge(command, option, value, refused)
                self.failures += outcome == "FAILED"
                shown = f"--{option}" + ("" if value is None else f"={value}")
                print(f"{self.model.name:32} {command:9} {shown.replace(str(self.folder), '...')[:44]:44} {outcome:8} {seconds:5.1f} s  {detail}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL=DATA", help="a model with samples of its inputs (.npz)")
    parser.add_argument("--halftone", required=True)
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, help="folder for what is made")
    parser.add_argument("--commands", default=",".join(COMMANDS), help="those to walk, of %(default)s")
    parser.add_argument("--quick", action="store_true", help="leave out selections and reconstructions")
    arguments = parser.parse_args()
    failures = 0
    for text in arguments.models:
        model, data = map(pathlib.Path, text.split("="))
        walk = Walk(arguments.halftone, arguments.output / model.stem, model, data, arguments.quick)
        walk.walk(arguments.commands.split(","))
        failures += walk.failures
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
