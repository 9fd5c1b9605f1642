#!/usr/bin/env python3
"""Trained models in TFLite files, as they come in Python packages, through TOSA and the whole compiler, and beside LiteRT.

    python benchmark/tflite.py --halftone build/bin/halftone -o build/tflite [NAME ...]

tflite.json names each model, its package and its file there; tflite-requirements.txt has all that this needs. A file is converted to TOSA by
tosa-converter-for-tflite, built in floats and, with the defaults, in int8, and run; outputs are compared with LiteRT's of the file on pictures that the
calibration has not seen. Latency is the median of rounds in turns, one thread, in seconds of that thread. What is in the folder already is not made again.
Writes table.md and tflite.json; a failure stands in the table with its first line.
"""

import numpy as np

from zoo import Halftone, all_outputs, find_file, measure_all, run, sqnr, time_in_turns
import zoo_samples


class LiteRT:
    """With its own kernels for this CPU (XNNPACK), which it uses by default."""

    def __init__(self, path):
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()

    def bind(self, feeds):
        for value, entry in zip(feeds.values(), self.interpreter.get_input_details()):
            self.interpreter.set_tensor(entry["index"], value)

    def run(self):
        self.interpreter.invoke()

    def outputs(self):
        return {entry["name"]: self.interpreter.get_tensor(entry["index"]).copy() for entry in self.interpreter.get_output_details()}


def convert(source, path):
    from tosa_converter_for_tflite import tflite_flatbuffer_to_tosa_mlir
    if not path.exists():
        tflite_flatbuffer_to_tosa_mlir(str(source), str(path))
    return path


def measure(halftone, entry, folder):
    folder.mkdir(parents=True, exist_ok=True)
    source = find_file(entry)
    model = convert(source, folder / "model.mlirbc")
    peer = LiteRT(source)
    shapes = {value["name"]: value["shape"].tolist() for value in peer.interpreter.get_input_details()}
    calibration, evaluation = zoo_samples.pictures(shapes, **entry["settings"], layout="nhwc")
    data = folder / "calibration.npz"
    np.savez(data, **{name: values[:, 0] for name, values in calibration.items()})
    for name, words in (("float.so", ["--float"]), ("int8.so", ["--data", data])):
        if not (folder / name).exists():
            run(halftone, "build", model, *words, "-o", folder / name)
    runnables = {"LiteRT": peer, "float": Halftone(folder / "float.so"), "int8": Halftone(folder / "int8.so")}
    outputs = {name: all_outputs(runnable, evaluation) for name, runnable in runnables.items()}
    row = {"title": entry["title"], "package": entry["package"]}
    row["sqnr_db"] = {name: sqnr(outputs["LiteRT"], outputs[name]) for name in runnables if name != "LiteRT"}
    row["seconds"] = time_in_turns(runnables, {name: values[0] for name, values in evaluation.items()})
    return row


def table(rows):
    lines = ["| model | package | LiteRT float | Halftone float | Halftone int8 |", "|---|---|---|---|---|"]
    for row in rows.values():
        if "error" in row:
            lines.append(f"| {row['title']} | {row['package']} | {row['error']} |")
            continue
        cells = [f"{row['seconds'][kind] / row['seconds']['LiteRT']:.2f}; {row['sqnr_db'][kind]:.1f} dB" for kind in ("float", "int8")]
        lines.append("| " + " | ".join([row["title"], row["package"], f"{1e3 * row['seconds']['LiteRT']:.3g} ms", *cells]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    measure_all(__doc__, "tflite.json", lambda options, name, entry: measure(options.halftone, entry, options.folder / name), table)
