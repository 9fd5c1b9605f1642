#!/usr/bin/env python3
"""Architectures of PyTorch packages through import, the float and the int8 compiler, beside onnxruntime.

    python benchmark/sweep.py --halftone build/bin/halftone -o build/sweep [--exporters dynamo script] [NAME ...]

sweep.json names each network: its package (sweep-requirements.txt), its settings, small as a rule, and its inputs. Weights are random
(models/sweep_networks.py), so nothing is said about accuracy: the question is what imports, whether floats agree with onnxruntime's, and whether int8 loses
what 8 bits cost. Each network is exported, built in floats and in int8 with the defaults, and run in a process of its own, on normal inputs that the
calibration has not seen. Latencies are seconds of one thread, beside onnxruntime's float. What is in the folder is not made again, but for --again. Writes
sweep.json and table.md; a failure stands in the table with its reason.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np

from zoo import HERE, Halftone, Onnxruntime, all_outputs, attempt, run, sqnr, time_in_turns

CALIBRATION, EVALUATION, SEED = 4, 2, 71
GOOD_FLOAT_DB, LOW_INT8_DB, SLOW = 90, 15, 2


def make_samples(entry, folder):
    from sweep_networks import make_inputs
    random = np.random.default_rng(SEED)
    rows = [make_inputs(entry, random) for _ in range(CALIBRATION + EVALUATION)]
    np.savez(folder / "calibration.npz", **{name: np.concatenate([row[name] for row in rows[:CALIBRATION]]) for name in rows[0]})
    return {name: np.stack([row[name] for row in rows[CALIBRATION:]]) for name in rows[0]}


def measure(folder, evaluation):
    """Outputs and times, in this process."""
    runnables = {"onnxruntime": Onnxruntime(folder / "model.onnx", {}), "float": Halftone(folder / "float.so")}
    if (folder / "int8.so").exists():
        runnables["int8"] = Halftone(folder / "int8.so")
    feeds = {name: value for name, value in evaluation.items() if name in {v.name for v in runnables["onnxruntime"].session.get_inputs()}}
    outputs = {kind: all_outputs(runnable, feeds) for kind, runnable in runnables.items()}
    seconds = time_in_turns(runnables, {name: values[0] for name, values in feeds.items()}, rounds=5, span=0.04)
    row = {"finite": bool(all(np.isfinite(value).all() for value in outputs["onnxruntime"].values()))}
    for kind in runnables:
        if kind != "onnxruntime":
            row[kind] = {"sqnr_db": sqnr(outputs["onnxruntime"], outputs[kind]), "time_ratio": seconds[kind] / seconds["onnxruntime"]}
    return {**row, "microseconds": 1e6 * seconds["onnxruntime"]}


def sweep_one(options, entry, name, exporter):
    """The row of the table: what succeeded, and under "failed" the first step that did not."""
    folder = options.folder / f"{name}-{exporter}"
    folder.mkdir(parents=True, exist_ok=True)
    row, model = {}, folder / "model.onnx"

    def step(what, path, *words):
        if path.exists() and not (options.again and path.suffix == ".so"):
            return
        path.unlink(missing_ok=True)
        start = time.monotonic()
        try:
            run(*words, "-o", path, limit=options.limit)
        except RuntimeError as error:
            row["failed"], row["reason"] = what, str(error)[:2000]
            raise
        row[what + "_seconds"] = time.monotonic() - start

    try:
        step("export", model, sys.executable, HERE / "models/sweep_networks.py", name, exporter)
        make_samples(entry, folder)
        step("float", folder / "float.so", options.halftone, "build", model, "--float")
        if "int8" in options.kinds:
            step("int8", folder / "int8.so", options.halftone, "build", model, "--data", folder / "calibration.npz")
    except RuntimeError:
        pass
    if (folder / "float.so").exists():
        try:
            row.update(json.loads(run(sys.executable, __file__, "--measure", folder, name, limit=options.limit)))
        except RuntimeError as error:
            row["failed"], row["reason"] = row.get("failed", "run"), row.get("reason", str(error)[-2000:])
    return row


def verdict(row):
    """One word or reason for the table."""
    if "failed" in row:
        return f"{row['failed']}: " + " ".join(row["reason"].split())[:160]
    notes = [] if row["finite"] else ["not finite in onnxruntime"]
    notes += ["floats differ"] if row["float"]["sqnr_db"] < GOOD_FLOAT_DB else []
    notes += ["int8 low"] if "int8" in row and row["int8"]["sqnr_db"] < LOW_INT8_DB else []
    notes += [f"{kind} slow" for kind in ("float", "int8") if kind in row and row[kind]["time_ratio"] > SLOW]
    return ", ".join(notes) or "ok"


def table(rows):
    lines = ["| network | exporter | result | float | int8 | float time | int8 time |", "|---|---|---|---|---|---|---|"]
    for key, row in rows.items():
        name, _, exporter = key.rpartition("-")
        cells = [f"{row[kind]['sqnr_db']:.1f} dB" if kind in row else "" for kind in ("float", "int8")]
        cells += [f"{row[kind]['time_ratio']:.2f}" if kind in row else "" for kind in ("float", "int8")]
        lines.append("| " + " | ".join([name, exporter, verdict(row), *cells]) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone")
    parser.add_argument("-o", dest="folder", type=pathlib.Path)
    parser.add_argument("--exporters", nargs="+", choices=("dynamo", "script"), default=["dynamo"])
    parser.add_argument("--kinds", nargs="+", choices=("float", "int8"), default=["float", "int8"])
    parser.add_argument("--limit", type=int, default=120, help="seconds of the CPU for each step")
    parser.add_argument("--again", action="store_true", help="compile and measure anew")
    parser.add_argument("--measure", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    entries = json.loads((HERE / "sweep.json").read_text())
    if options.measure:
        print(json.dumps(measure(options.measure, make_samples(entries[options.names[0]], options.measure))))
        return
    if not options.halftone or not options.folder:
        parser.error("--halftone and -o are needed")
    unknown = [name for name in options.names if name not in entries]
    if unknown:
        parser.error(f"not in sweep.json: {', '.join(unknown)}; there are {', '.join(entries)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    record = options.folder / "sweep.json"
    rows = json.loads(record.read_text()) if record.exists() else {}
    for name in options.names or entries:
        for exporter in options.exporters:
            key = f"{name}-{exporter}"
            rows[key] = sweep_one(options, entries[name], name, exporter)
            print(table({key: rows[key]}).splitlines()[-1], flush=True)
            record.write_text(json.dumps(rows, indent=1))
            (options.folder / "table.md").write_text(table(rows))
    good = sum(verdict(row) == "ok" for row in rows.values())
    print(f"{good} of {len(rows)} without remarks")


if __name__ == "__main__":
    main()
