#!/usr/bin/env python3
"""Walks every value of every option of every command of `halftone` over models.

    python benchmark/options.py --halftone build/bin/halftone -o build/options models/demo/fashion.onnx=models/demo/calibration.npz

Options and the values that are named come from the help, so that a new one cannot be forgotten: an option with free values has
examples in option_examples.py, sound ones and unsound ones, and one without is a failure. Each value gives one run. It must end in one of
two ways:

  works     status 0, and the result does what it should: a model compiles, runs, gives finite numbers in the float model's shape
            (their SQNR against it is printed); statistics can be read, reports and tables are there
  refused   status 1, one message that says why, and no file that was not there before

A crash, a message without a reason, an unsound example that is accepted, a sound value that no model of the walk takes, and files left behind
are failures. Every run is printed, then how many there were for each command and model; the status says whether any failed.
"""

import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import numpy as np

from option_examples import EXAMPLES, LISTED, NEEDS, OUTPUT, REPLACED, USUAL

SAMPLES = 12
# With --quick, commands that compile are given what they refuse only; training, tuning and selections take long.
QUICK = {"import", "calibrate", "quantize", "prune", "check", "info"}
SLOW = {"max-drop", "max-bytes", "max-latency", "tune"}
# Options that need no model are tried once.
WITHOUT_MODEL = {"tune"}


@dataclasses.dataclass
class Case:
    """A value to try: a flag has none. `more` are words of its own."""
    option: str
    value: str
    is_flag: bool
    more: list
    must_refuse: bool
    may_refuse: bool = False  # on all models


@dataclasses.dataclass
class Row:
    """What became of a case."""
    model: str
    command: str
    case: str
    outcome: str
    detail: str
    seconds: float
    may_refuse: bool


class Tool:
    """The program, with a folder of its own for temporary files."""

    def __init__(self, path):
        self.path = str(path)

    def run(self, words, temporary):
        start = time.time()
        done = subprocess.run([self.path, *map(str, words)], capture_output=True, text=True, errors="replace", timeout=1800,
                              env={**os.environ, "TMPDIR": str(temporary)})
        return done.returncode, done.stdout, done.stderr, time.time() - start

    def options(self, command):
        """{option: (whether it is a flag, values that the help names)}, from `halftone COMMAND --help`; all lines must be understood."""
        status, text, errors, _ = self.run([command, "--help"], tempfile.gettempdir())
        assert status == 0, errors
        options, last = {}, None
        for line in text.split("General options:")[1].split("Generic Options:")[0].splitlines():
            if found := re.fullmatch(r"  --?([a-z][a-z-]*)([= ]<.*?>)?\s+- (.*)", line):
                last, description = found.group(1), found.group(3)
                options[last] = (not found.group(2), LISTED[last](description) if last in LISTED else [])
            elif found := re.match(r"    =(\S+)\s+- ", line):
                options[last][1].append(found.group(1))
            elif line.strip():
                sys.exit(f"the help of {command} has a line that is not understood: {line}")
        return options


def write_picture(path, pixels):
    """A PNG of [height, width, 1 or 3] bytes."""
    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    part = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b""))


class Model:
    """A model, and the files that the examples name, in a folder."""

    def __init__(self, tool, folder, model, data, dims):
        self.tool, self.folder, self.path, self.dims = tool, folder, model, [f"--dim={dim}" for dim in dims]
        self.name = model.parent.name + "/" + model.name if model.stem in ("model", "float_model") else model.name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "temporary").mkdir(parents=True)
        with np.load(data) as arrays:
            self.samples = {name: arrays[name][:SAMPLES] for name in arrays.files if name != "label"}
        self.make_models()
        self.make_data()
        self.make_other_files()

    def must(self, *words):
        status, out, errors, _ = self.tool.run(words, self.folder / "temporary")
        if status:
            sys.exit(f"{' '.join(map(str, words))}: {errors}")
        return out, errors

    def make_models(self):
        folder = self.folder
        _, errors = self.must("build", self.path, *self.dims, "--float", "-o", folder / "float.so")
        leading = re.search(r"leading dimension '(\S+)'", errors)
        out, _ = self.must("info", folder / "float.so")
        inputs = re.findall(r"^input '(.*?)': (\w+) \[(.*?)\]", out, re.MULTILINE)
        self.samples = {name: self.samples[name] for name, _, _ in inputs}
        self.input, shape = inputs[0][0], inputs[0][2].split(", ")
        self.dim = leading.group(1) if leading else "batch"
        self.picture = tuple(map(int, shape[1:])) if len(shape) == 4 and shape[1] in "13" else None
        np.savez(folder / "plain.npz", **self.samples)
        self.must("run", folder / "float.so", "--input", folder / "plain.npz", "-o", folder / "float.npz")
        with np.load(folder / "float.npz") as outputs:
            self.expected = {name: outputs[name] for name in outputs.files}
        target = re.search(r"^target: (\S+)", out, re.MULTILINE).group(1)
        tables = pathlib.Path(__file__).resolve().parent.parent / "lib/Codegen/CostTables"
        fitting = [table for table in tables.glob("*.json") if table.stem == target] or list(tables.glob("x86-64-v3.json"))
        shutil.copy(fitting[0], folder / "cost.json")  # the built-in table of this CPU, as a file

    def make_data(self):
        folder, first = self.folder, next(iter(self.samples))
        output = next(iter(self.expected.values()))
        labels = output.reshape(len(output), -1).argmax(1).astype(np.int64)
        np.savez(folder / "data.npz", label=labels, target=output.reshape(output.shape[0], *output.shape[1:]), short=labels[:3],
                 floats=labels.astype(np.float32), classes=labels + 1000000, **self.samples)
        changed = lambda change: {name: change(array) if name == first else array for name, array in self.samples.items()}
        np.savez(folder / "misnamed.npz", nothing=self.samples[first])
        np.savez(folder / "misshapen.npz", **changed(lambda array: array[..., :-1]))
        np.savez(folder / "integers.npz", **changed(lambda array: array.astype(np.int16)))
        np.savez(folder / "nan.npz", **changed(lambda array: np.where(np.arange(array.size).reshape(array.shape) == 5, np.nan, array).astype(array.dtype)))
        whole = (folder / "plain.npz").read_bytes()
        (folder / "truncated.npz").write_bytes(whole[:len(whole) // 2])
        for name in ("empty", "arrays", "pictures"):
            (folder / name).mkdir()
        for name, array in self.samples.items():
            np.save(folder / "arrays" / f"{name.replace('/', '_')}.npy", array)
        if self.picture:
            channels, height, width = self.picture
            random = np.random.default_rng(0)
            for i in range(SAMPLES):
                write_picture(folder / "pictures" / f"{i:02}.png", random.integers(0, 256, (height + 2, width + 2, channels), np.uint8))

    def make_other_files(self):
        folder, source = self.folder, [self.path, *self.dims]
        self.must("calibrate", *source, "--data", folder / "data.npz", "-o", folder / "model.stats")
        self.must("calibrate", *source, "--equalize", "--data", folder / "data.npz", "-o", folder / "equalized.stats")
        np.savez(folder / "half.npz", **{name: array[:SAMPLES // 2] for name, array in self.samples.items()})
        self.must("calibrate", *source, "--data", folder / "half.npz", "-o", folder / "resumed.stats.partial")
        statistics = json.loads((folder / "model.stats").read_text())
        (folder / "other.stats").write_text(json.dumps({**statistics, "source_hash": "0" * 32}))
        self.must("import", *source, "-o", folder / "imported.mlirbc")
        self.must("quantize", *source, "--stats", folder / "model.stats", "-o", folder / "quantized.mlirbc")
        out, errors = self.must("prune", *source, "--sparsity=0", "-o", folder / "same.mlirbc")
        layers = [line[:40].strip() for line in (out + errors).splitlines() if re.search(r" \d+ +[\d.]+ %", line)][:-1]
        self.last = re.escape(layers[-1])
        rule = "- {{kind: contraction, weights: {}, granularity: channel}}\n"
        (folder / "recipe.yaml").write_text(rule.format("int4"))
        (folder / "misspelt.yaml").write_text(rule.format("int4").replace("weights", "wieghts"))
        (folder / "idle.yaml").write_text("- {name: nothing, weights: int4}\n")
        (folder / "zeros.yaml").write_text("- {kind: contraction, sparsity: 0.5}\n")
        # A selection that has few layers to choose for: the others have rules.
        self.ruled = layers[:-2]
        (folder / "most.yaml").write_text("".join(f"- {{name: {json.dumps(layer)}, weights: int8}}\n" for layer in self.ruled))
        for name, text in (("metric", "echo 50"), ("silent", "true")):
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)

    def fill(self, text, folder):
        picture = self.picture or (3, 8, 8)
        names = {"folder": folder, "model": self.path, "input": self.input, "output": next(iter(self.expected)), "dim": self.dim, "last": self.last,
                 "size": f"{picture[1]}x{picture[2]}", "colour": "gray" if picture[0] == 1 else "rgb",
                 "loss": "cross-entropy" if next(iter(self.expected.values())).ndim == 2 else "mse"}
        return re.sub(r"\{(\w+)\}", lambda found: str(names[found.group(1)]), text)


def look_up(table, command, option, value, default):
    """The most special entry: option=value@command, option@command, option=value, option."""
    for key in (f"{option}={value}@{command}", f"{option}@{command}", f"{option}={value}", option):
        if key in table:
            return table[key]
    return default


def cases(tool, command):
    """What to try of a command; an option without an example gives none but its name."""
    for option, (is_flag, named) in tool.options(command).items():
        examples = look_up(EXAMPLES, command, option, "", None)
        if examples is None and not named:
            yield option
        mine = []
        for example in examples or []:
            value, more = example if isinstance(example, tuple) else (example, [])
            mine.append(Case(option, value.lstrip("!?"), is_flag, more, value.startswith("!"), value.startswith(("!", "?"))))
        yield from (Case(option, value, is_flag, [], False) for value in named if all(value != case.value for case in mine))
        yield from mine


def without_examples(tool):
    """The options of any command that nothing would be tried for."""
    return [f"{command} --{option}" for command in USUAL for option in cases(tool, command) if isinstance(option, str)]


class Walk:
    """One command on one model, in a folder of its own."""

    def __init__(self, tool, model, command, quick, is_first, known):
        self.tool, self.model, self.command, self.quick, self.is_first = tool, model, command, quick, is_first
        self.folder = model.folder.parent / f"{model.folder.name}-{command}"
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(model.folder, self.folder)
        self.temporary, self.checked = self.folder / "temporary", {}
        self.known = {row.case: row for row in known if (row.model, row.command) == (model.name, command)}

    def fill(self, text):
        return self.model.fill(text, self.folder)

    def is_slow(self, case):
        """Whether a selection or a measurement of the machine is asked for."""
        return case.option in SLOW or any(word.startswith("--max-") for word in [*look_up(NEEDS, self.command, case.option, case.value, []), *case.more])

    def words(self, case):
        """The command with the option in it, and the path that is to be written."""
        command, option, value = self.command, case.option, case.value
        more = [word for word in [*look_up(NEEDS, command, option, value, []), *case.more] if self.model.ruled or "most.yaml" not in word]
        names = [word.split("=")[0] for word in more if word.startswith("-")]
        gone = [*look_up(REPLACED, command, option, value, []), f"--{option}", *names]
        words = [word for word in USUAL[command] if word not in gone and word.split("=")[0] not in gone]
        if "{model}" in words:
            words += self.model.dims if option != "dim" else [dim for dim in self.model.dims if not dim.startswith(f"--dim={self.model.dim}=")]
        asked = "-o" if option == "o" else f"--{option}"
        words += [*more, *([asked] if case.is_flag else [asked, value] if option == "o" else [f"{asked}={value}"])]
        if "-o" in words:
            output = words[words.index("-o") + 1]
        elif command in OUTPUT and not {"--predict", "--tune"} & set(words):
            output = "{folder}/" + OUTPUT[command]
            if option == "stop-after" and value != "target" or option == "elide-weights":
                output = str(pathlib.Path(output).with_suffix(".mlir" if option == "elide-weights" else ".mlirbc"))
            words += ["-o", output]
        else:
            output = "-"
        return [command, *map(self.fill, words)], None if output == "-" else pathlib.Path(self.fill(output))

    # ----------------------------------------------------------------- checks

    def check(self, case, words, out, output):
        """What the result does, or a ValueError."""
        for kind, text in (("report", case.value), ("save-stats", case.value), ("save-choice", case.value), ("checkpoint", case.value),
                           ("measurements", case.value)):
            if case.option == kind and not os.path.getsize(self.fill(text)):
                raise ValueError(f"the file of --{kind} is empty")
        if "--json" in words:
            return f"JSON of {len(json.loads(out))} entries"
        if output is None:
            if not out.strip():
                raise ValueError("nothing was printed")
            return f"{len(out.splitlines())} lines"
        if not os.path.getsize(output):
            raise ValueError("the output is empty")
        if output.suffix in (".stats", ".json"):
            counts = json.loads(output.read_text())
            if output.suffix == ".stats" and (counts["samples"] < 1 or not counts["values"]):
                raise ValueError("no statistics")
            return "statistics read" if output.suffix == ".stats" else "table read"
        if output.suffix == ".npz":
            return self.fidelity(output)
        if "--elide-weights" in words or output.suffix in (".o", ".ll", ".s"):
            return "written"
        digest = hashlib.sha256(output.read_bytes()).hexdigest()
        if digest not in self.checked:
            self.checked[digest] = self.run_model(output)
        return self.checked[digest]

    def run_model(self, output):
        """Compiles a stage file, and runs the library."""
        library = output
        if output.suffix != ".so":
            status, text, errors, _ = self.tool.run(["info", output], self.temporary)
            if status:
                raise ValueError(f"cannot be read: {errors.strip()}")
            if "stage: codegen" in text:
                return "read"
            if self.quick:
                return "read"
            early = re.search(r"stage: (import|calibration|precision)", text)  # in floats
            library = self.folder / "check.so"
            status, _, errors, _ = self.tool.run(["build", output, *(["--float"] if early else []), "-o", library], self.temporary)
            if status:
                raise ValueError(f"does not compile: {errors.strip().splitlines()[-1]}")
        status, _, errors, _ = self.tool.run(["run", library, "--input", self.folder / "plain.npz", "-o", self.folder / "check.npz"], self.temporary)
        if status and re.search("needs CPU features|another architecture", errors):
            return "compiled, for other CPUs than this one"
        if status:
            raise ValueError(f"does not run: {errors.strip().splitlines()[-1]}")
        return self.fidelity(self.folder / "check.npz")

    def fidelity(self, path):
        noise, signal = 0.0, 0.0
        with np.load(path) as result:
            for name, exact in self.model.expected.items():
                if result[name].shape != exact.shape or not np.isfinite(result[name]).all():
                    raise ValueError(f"'{name}' has the shape {result[name].shape}, or is not finite")
                noise += ((result[name].astype(np.float64) - exact) ** 2).sum()
                signal += (exact.astype(np.float64) ** 2).sum()
        return "as float" if noise == 0 else f"{10 * np.log10(signal / noise):.1f} dB"

    def files(self):
        return {str(path) for path in self.folder.rglob("*")}

    def judge(self, case):
        """(outcome, detail, seconds)."""
        words, output = self.words(case)
        shown = " ".join(words)
        if output and str(output).startswith(str(self.folder)) and output.is_file():
            output.unlink()
        before = self.files()
        status, out, errors, seconds = self.tool.run(words, self.temporary)
        left = [path for path in self.files() - before if status or "/temporary/" in path]
        messages = re.findall(r"^.*?\berror: (.*)", errors, re.MULTILINE)
        if status not in (0, 1) or "Stack dump" in errors or "Assertion" in errors:
            return "FAILED", f"crash: {shown}", seconds
        if case.option == "pause-after" and "--resume goes on" in errors:
            return "works", messages[0], seconds
        if left:
            return "FAILED", f"left {left[0]}: {shown}", seconds
        if status == 0:
            if case.must_refuse:
                return "FAILED", f"accepted, but makes no sense: {shown}", seconds
            try:
                return "works", self.check(case, words, out, output), seconds
            except (ValueError, OSError, KeyError) as problem:
                return "FAILED", f"{problem}: {shown}", seconds
        if len(messages) != 1 or len(messages[0]) < 10:
            return "FAILED", f"{len(messages)} messages: {errors.strip()[-300:]!r}: {shown}", seconds
        more = [line.strip() for line in errors[errors.index(messages[0]):].splitlines()[1:] if line.startswith("  ")]
        return "refused", " ".join([messages[0], *more]), seconds

    def rows(self):
        for case in cases(self.tool, self.command):
            if case.option in WITHOUT_MODEL and not self.is_first:
                continue
            if self.quick and not case.must_refuse and (self.command not in QUICK or self.is_slow(case)):
                continue
            shown = "-o " + case.value if case.option == "o" else f"--{case.option}" + ("" if case.is_flag else f"={case.value}")
            shown = " ".join([shown, *case.more])
            if shown in self.known:
                yield self.known[shown]
                continue
            outcome, detail, seconds = self.judge(case)
            yield Row(self.model.name, self.command, shown, outcome, detail.replace(str(self.folder), "..."), seconds, case.may_refuse)


def print_row(row, lock=threading.Lock()):
    with lock:
        print(f"{row.model:20} {row.command:9} {row.case[:52]!s:52} {row.outcome:8} {row.seconds:6.1f} s  {row.detail}", flush=True)


def walk(log, *arguments):
    rows = []
    for row in Walk(*arguments).rows():
        print_row(row)
        log.write(json.dumps(dataclasses.asdict(row)) + "\n")
        log.flush()
        rows.append(row)
    return rows


def known_rows(path):
    """What worked in a walk before."""
    if not path.exists():
        return []
    rows = [Row(**json.loads(line)) for line in path.read_text().splitlines()]
    return [row for row in rows if row.outcome == "works"]


def taken_nowhere(rows):
    """Sound values that every model refused."""
    works = {(row.command, row.case) for row in rows if row.outcome != "refused"}
    return [row for row in rows if not row.may_refuse and (row.command, row.case) not in works]


def print_counts(rows, models, commands):
    print("\n| command | " + " | ".join(models) + " |\n|---|" + "---|" * len(models))
    for command in [*commands, "all"]:
        cells = []
        for model in models:
            mine = [row for row in rows if row.model == model and command in (row.command, "all")]
            count = lambda outcome: sum(row.outcome == outcome for row in mine)
            cells.append(f"{count('works')} / {count('refused')}" + (f" / {count('FAILED')} failed" if count("FAILED") else ""))
        print(f"| {command} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL=DATA[,DIM=SIZE...]", help="a model with samples of its inputs (.npz)")
    parser.add_argument("--halftone", required=True)
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, help="folder for what is made")
    parser.add_argument("--commands", default=",".join(USUAL), help="those to walk, of %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--resume", action="store_true", help="take over what worked in an interrupted walk into the same folder")
    parser.add_argument("--quick", action="store_true", help="leave out what compiles, trains or selects, but for what is refused")
    arguments = parser.parse_args()
    tool, models, commands = Tool(pathlib.Path(arguments.halftone).resolve()), [], arguments.commands.split(",")
    if missing := without_examples(tool):
        sys.exit(f"option_examples.py has no example for {', '.join(missing)}")
    for text in arguments.models:
        model, rest = text.split("=", 1)
        data, *dims = rest.split(",")
        folder = arguments.output.resolve() / f"{len(models)}-{pathlib.Path(model).stem}"
        models.append(Model(tool, folder, pathlib.Path(model).resolve(), data, dims))
    known = known_rows(arguments.output / "rows.jsonl") if arguments.resume else []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool, (arguments.output / "rows.jsonl").open("w") as log:
        done = [pool.submit(walk, log, tool, model, command, arguments.quick, model is models[0], known)
                for model in models for command in commands]
        rows = [row for future in done for row in future.result()]
    failed = [row for row in rows if row.outcome == "FAILED"]
    nowhere = taken_nowhere(rows)
    print_counts(rows, [model.name for model in models], commands)
    print("\nworks / refused with the reason" + (", what is no failure but slow left out" if arguments.quick else ""))
    for row in [*failed, *nowhere]:
        print_row(row if row.outcome == "FAILED" else dataclasses.replace(row, detail=f"no model takes it: {row.detail}"))
    print(f"{len(failed) + len(nowhere)} failures")
    return 1 if failed or nowhere else 0


if __name__ == "__main__":
    sys.exit(main())
