#!/usr/bin/env python3
"""Size, speed and fidelity of one model in every format of weights, and with formats selected under budgets.

    python benchmark/frontier.py --halftone build/bin/halftone -o build/frontier demo efficientnet minilm ocr-detection \\
        own=model.onnx,calibration.npz,evaluation.npz

Each model is a name of frontier_models.json, or NAME=MODEL,CALIBRATION,EVALUATION; a dimension that is open is set to 1. What a model's script makes
(benchmark/models) is made if it is missing; the Python packages that it needs are named if they are. Calibration, Hessians and
selection see the first data only, Hessians are summed once (of the models with few formats, for each); fidelity is that of the second, against the float model
compiled by us: top-1 agreement and SQNR of the outputs. All weights are rounded alike (--rounding, gptq unless told)
and stored packed. Latency is the median of one interleaved `halftone bench` over all that were built, one thread,
batch 1. A budget that is refused stands in the table with the reason. Losses of layers are measured once for each
model and kept beside the models, and models that are there already are not made again. Models that frontier_models.json gives few formats
have these alone and the cosine in place of the agreement; with "budgets" the selections under 15 and 20 % of the bytes, 80 % of int8's time and half of
int8's drop, too. Below each table: which single formats no
selection beats in both bytes and SQNR, and which codebooks are less faithful than uniform codes of as many bits. With
--sequential all are rounded layer by layer. Writes table.md, frontier.json and one plot for each model, SVG without a library.
"""

import argparse
import importlib.util
import json
import pathlib
import re
import subprocess
import sys

from cpu import features, multiplies_in_words

# Candidates of the selections under budgets of bytes, and the single formats whose bytes are their budgets. Floats of early layers take
# few bytes and most of the error away, but time: BOUNDED are the sizes that are tried with a budget of time, too, in percent of int8's, where
# the selection takes more.
TABLES = [f"codebook{bits}/group:8" for bits in range(5, 1, -1)]
FORMATS = ["int8", "codebook7", "codebook6", "codebook5", "codebook4", "codebook3", "codebook2", *TABLES, "float"]
SIZES = ["int8", *[f"codebook{bits}" for bits in range(7, 1, -1)]]
BOUNDED = {title: 115 for title in ["int8", *[f"codebook{bits}" for bits in range(7, 3, -1)]]}
# Those under a budget of latency: zeros are faster than int8, fewer bits where weights come from beyond L2, and bounded weights and 6 bits on a CPU without dots of bytes.
FASTER = ["int8", "codebook4", *(["int8pair", "int7pair", "int6"] if multiplies_in_words(features()) else []),
          *[f"int8/sparsity:{share}" for share in (0.3, 0.4, 0.5, 0.6, 0.7, 0.85)]]
SINGLE = [*[f"int{bits}" for bits in range(8, 1, -1)], "int8pair", "int7pair", "int8/tensor", "int4/tensor", "int4/group:32",
          *[f"codebook{bits}" for bits in range(8, 1, -1)], *TABLES, "nf4", "log5", "log4", "log3"]
# Of the models that are no classifiers of pictures.
FEW = ["int8", "int6", "int5", "int4", "int4/group:32", "codebook8", "codebook6", "codebook5", "codebook4", "codebook4/group:8", "nf4", "log4"]
ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    errors = [line.split("error: ", 1)[1] for line in done.stderr.splitlines() if "error: " in line]
    detail = [line.strip() for line in done.stderr.splitlines()[-2:] if line.startswith(" ")]
    return done, "; ".join(errors + detail).replace(":; ", ": ") or "failed"


class Frontier:
    def __init__(self, options, name, model, calibration, evaluation, few=False, budgets=False):
        self.few, self.budgets = few, budgets
        self.halftone, self.percents = options.halftone, options.percents
        self.rounding = [f"--rounding={options.rounding}", *(["--sequential"] if options.sequential else [])]
        self.keeps_hessians = options.rounding in ("gptq", "adaround")
        self.name, self.folder = name, options.folder
        self.model, self.calibration, self.evaluation = model, calibration, evaluation
        self.rows, self.stats = {}, self.folder / f"{name}.stats"

    def call(self, *words):
        done, reason = run([self.halftone, *words])
        if done.returncode:
            raise RuntimeError(reason)
        return done

    def path(self, title, ending):
        words = "".join(c if c.isalnum() else "-" for c in title)
        return self.folder / f"{self.name}-{words}.{ending}"

    def add(self, title, kind, make):
        """`make` writes the library it is given the path of, and returns what it prints."""
        library = self.path(title, "so")
        try:
            log = make(library)
        except RuntimeError as error:
            self.rows[title] = {"kind": kind, "refused": str(error)}
            return
        done = self.call("compare", self.rows["float"]["path"] if "float" in self.rows else library, library,
                         "--data", self.evaluation, "--json")
        outputs = json.loads(done.stdout)
        ratios = [output["sqnr_db"] for output in outputs if "sqnr_db" in output]
        self.rows[title] = {"kind": kind, "path": str(library), "agreement": outputs[0]["same_top1"] / outputs[0]["samples"],
                            "sqnr_db": min(ratios, default=None), "cosine": min(output["cosine"] for output in outputs), "outputs": len(outputs),
                            "weights": [line[len("  weights: "):] for line in log.splitlines() if line.startswith("  weights: ")]}

    def quantize(self, library, *options, samples="all"):
        """`samples`: those that the Hessians are of. Selection sums them over its own part."""
        stage = library.with_suffix(".mlirbc")
        if self.keeps_hessians and (samples == "search" or "--sequential" not in self.rounding):
            # Channels that are divided depend on the format: where there are some, Hessians are of one format.
            owner = library.stem if self.few else self.name
            options += ("--hessians", self.folder / f"{owner}-{samples}.hessians")
        log = stage.with_suffix(".log")
        if not (stage.exists() and log.exists()):
            log.write_text(self.call("quantize", self.model, "--stats", self.stats, "--data", self.calibration,
                                     *self.rounding, *options, "-o", stage).stderr)
        if not library.exists() or library.stat().st_mtime < stage.stat().st_mtime:
            self.call("compile", stage, "--weight-storage=packed", "-o", library)
        return log.read_text()

    def constant_bytes(self, title):
        return re.search(r"^constants: (\d+) bytes", self.call("info", self.rows[title]["path"]).stdout, re.MULTILINE).group(1)

    def select(self, *budget, formats):
        # What is added up is the classes' divergence for top-1, else noise.
        if self.few and not any(word.startswith("--metric=") for word in budget):
            budget = (*budget, "--metric=cosine")
        losses = self.folder / f"{self.name}-{'noise' if any(word.startswith('--metric=') for word in budget) else 'divergence'}.losses"

        def make(library):
            return self.quantize(library, *budget, "--formats=" + ",".join(formats), "--weight-storage=packed", "--save-choice", library.with_suffix(".yaml"),
                                 "--measurements", losses, samples="search")
        return make

    def single(self, text):
        weights, _, granularity = text.partition("/")
        return lambda library: self.quantize(library, f"--weights={weights}", f"--granularity={granularity or 'channel'}")

    def measure(self):
        if not self.stats.exists():
            self.call("calibrate", self.model, "--data", self.calibration, "-o", self.stats)
        self.add("float", "reference", lambda library: self.call("build", self.model, "--float", "-o", library).stderr)
        for text in FEW if self.few else SINGLE:
            self.add(text, "single", self.single(text))
        if self.budgets:
            for percent in self.percents:
                self.add(f"bytes {percent:g} %", "bytes", self.select(f"--max-bytes={percent:g}%", formats=FORMATS))
        if not self.few:
            self.measure_selections()
        if self.budgets:
            self.halve_cosine()
            self.measure_latency()
        self.time()
        return self.rows

    def measure_latency(self):
        """80 % of int8's time; last, as zeros are measured in no other selection."""
        self.add("latency 80 %", "latency", self.select("--max-latency=80%", formats=FASTER))
        if self.can_be_sequential():
            self.add("latency 80 %, layer by layer", "latency", self.select("--max-latency=80%", "--sequential", formats=FASTER))

    def measure_selections(self):
        for title in SIZES:
            self.add(f"bytes of {title}", "bytes", self.select(f"--max-bytes={self.constant_bytes(title)}", formats=FORMATS))
        for title, percent in BOUNDED.items():
            if self.selected_time(f"bytes of {title}") > percent / 100:
                self.add(f"bytes of {title}, {percent} % of int8's time", "bounded",
                         self.select(f"--max-bytes={self.constant_bytes(title)}", f"--max-latency={percent}%", formats=FORMATS))
        self.halve("disagreement {:.2f} %", 100 * (1 - self.rows["int8"]["agreement"]))

    def selected_time(self, title):
        """Of int8's, as the selection measured it."""
        log = self.path(title, "log")
        times = re.findall(r"^  (?:plain int8|selected) .* bytes +(\S+) us", log.read_text() if log.exists() else "", re.MULTILINE)
        return float(times[1]) / float(times[0]) if len(times) == 2 else 0

    def can_be_sequential(self):
        return self.keeps_hessians and "--sequential" not in self.rounding

    def halve_cosine(self):
        drop = 1 - self.rows["int8"]["cosine"]
        if self.rows["int8"]["outputs"] > 1:
            # Of all outputs together, as selections count it: a selection says what int8 has.
            log = self.path(f"bytes {self.percents[0]:g} %", "log").read_text()
            drop = float(re.search(r"^  plain int8 .* drop (\S+)", log, re.MULTILINE).group(1))
        self.halve("1 - cosine {:.2g}", drop, "--metric=cosine")

    def halve(self, title, drop, *metric):
        """Half of int8's drop in the least time; with the weights rounded by the float network's layers, and layer by layer, which needs fewer floats."""
        budget = [f"--max-drop={drop / 2}", *metric, "--objective=latency"]
        self.add(title.format(drop / 2), "drop", self.select(*budget, formats=["int8", "float"]))
        if self.can_be_sequential():
            self.add(title.format(drop / 2) + ", layer by layer", "drop", self.select(*budget, "--sequential", formats=["int8", "float"]))

    def time(self):
        built = [row for row in self.rows.values() if "path" in row]
        done = self.call("bench", built[0]["path"], "--json", "--rounds=9",
                         *[word for row in built[1:] for word in ("--against", row["path"])])
        for row, timed in zip(built, json.loads(done.stdout)):
            row["microseconds"], row["bytes"] = timed["median_us"], timed["constant_bytes"]


def table(name, rows, few):
    selects = any(row["kind"] == "bytes" for row in rows.values())
    near = "cosine" if few else "top-1 as float"
    lines = [f"### {name}", "", f"| formats | bytes | of float | {near} | SQNR dB | us | of int8 | of float |{' weights |' if selects else ''}",
             "|---|---|---|---|---|---|---|---|" + ("---|" if selects else "")]
    whole, plain = rows["float"], rows["int8"]
    for title, row in rows.items():
        if "refused" in row:
            lines.append(f"| {title} | refused: {row['refused']} | | | | | | |" + (" |" if selects else ""))
            continue
        sqnr = "exact" if row["sqnr_db"] is None else f"{row['sqnr_db']:.2f}"
        near = f"{row['cosine']:.4f}" if few else f"{row['agreement']:.3f}"
        lines.append(f"| {title} | {row['bytes']} | {row['bytes'] / whole['bytes']:.3f} | {near} | {sqnr} | {row['microseconds']:.{1 if row['microseconds'] < 100 else 0}f}"
                     f" | {row['microseconds'] / plain['microseconds']:.2f} | {row['microseconds'] / whole['microseconds']:.2f} |"
                     + (f" {' '.join(row['weights'])} |" if selects else ""))
    return "\n".join(lines + ["", *verdicts(rows)]) + "\n"


def is_beaten(row, others):
    """Whether one of the others is no larger and no less faithful."""
    return any(other is not row and other["bytes"] <= row["bytes"] and other["sqnr_db"] >= row["sqnr_db"] for other in others)


def drawn(rows, kind):
    return {title: row for title, row in rows.items() if row["kind"] == kind and row.get("sqnr_db") is not None}


def verdicts(rows):
    single, selected = drawn(rows, "single"), drawn(rows, "bytes")
    unbeaten = [title for title, row in single.items() if not is_beaten(row, selected.values())]
    behind = [f"codebook{bits}" for bits in range(2, 9) if {f"codebook{bits}", f"int{bits}"} <= set(single)
              and single[f"codebook{bits}"]["sqnr_db"] < single[f"int{bits}"]["sqnr_db"]]
    return [*([f"Single formats that no selection beats in both bytes and SQNR: {', '.join(unbeaten) or 'none'}."] if selected else []),
            f"Codebooks less faithful than uniform codes of as many bits: {', '.join(behind) or 'none'}."]


def plot(name, rows):
    """Points of bytes (part of float) and SQNR: single formats, those with names that no other beats; selections under budgets of bytes joined."""
    share = lambda row: row["bytes"] / rows["float"]["bytes"]
    single, selected = drawn(rows, "single"), drawn(rows, "bytes")
    points = single | selected
    left, right = min(map(share, points.values())) - 0.01, max(map(share, points.values())) + 0.02
    top = max(row["sqnr_db"] for row in points.values()) * 1.1
    place = lambda row: (60 + 560 * (share(row) - left) / (right - left), 20 + 300 * (1 - max(row["sqnr_db"], 0) / top))
    marks = [f'<text x="60" y="14" font-weight="bold">{name}: SQNR (dB) over bytes (part of float)</text>']
    for i in range(6):
        x, y = 60 + 112 * i, 320 - 60 * i
        marks += [f'<text x="{x}" y="338" text-anchor="middle">{left + (right - left) * i / 5:.3f}</text>',
                  f'<text x="52" y="{y + 4}" text-anchor="end">{top * i / 5:.1f}</text>', f'<path d="M60 {y}H620" stroke="#ddd"/>']
    joined = sorted(map(place, selected.values()))
    marks.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in joined)}" fill="none" stroke="#c73a22"/>')
    marks.append('<text x="610" y="310" text-anchor="end" fill="#c73a22">selected under --max-bytes</text>')
    for title, row in points.items():
        x, y = place(row)
        marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{"#2264c7" if title in single else "#c73a22"}"><title>{title}</title></circle>')
        if title in single and not is_beaten(row, single.values()):
            marks.append(f'<text x="{x + 7:.1f}" y="{y + 4:.1f}">{title}</text>')
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 350" font-family="sans-serif" font-size="11">'
            '<rect width="700" height="350" fill="#fff"/>' + "".join(marks) + "</svg>\n")


def make(name, entry, folder):
    """The files of a model of frontier_models.json, made if they are missing and can be."""
    made = folder / "models"
    files = [pathlib.Path(made, file[len("{made}/"):]) if file.startswith("{made}/") else ROOT / file for file in entry["files"]]
    absent = [str(file) for file in files if not file.exists()]
    if absent and "maker" in entry:
        if missing := [package for module, package in entry["packages"].items() if not importlib.util.find_spec(module)]:
            raise SystemExit(f"{name} needs the Python packages {', '.join(missing)} (benchmark/requirements.txt, benchmark/zoo-requirements.txt)")
        subprocess.run([sys.executable, ROOT / entry["maker"], "-o", made, *entry.get("arguments", [])], check=True)
    elif absent:
        raise SystemExit(f"{name} needs {', '.join(absent)}: benchmark/README.md says what makes them")
    return files


def find_model(text, folder):
    """Its name, its files, whether it has few formats, and whether these have budgets."""
    name, _, files = text.partition("=")
    if files:
        return name, files.split(","), False, True
    models = json.loads((ROOT / "benchmark/frontier_models.json").read_text())
    if name not in models:
        raise SystemExit(f"'{name}' is no model of frontier_models.json ({', '.join(models)}), and no NAME=MODEL,CALIBRATION,EVALUATION")
    few = models[name].get("formats") == "few"
    return name, make(name, models[name], folder), few, models[name].get("budgets", not few)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", required=True)
    parser.add_argument("--rounding", default="gptq")
    parser.add_argument("--sequential", action="store_true", help="round layer by layer: into a folder of its own")
    parser.add_argument("--percents", type=lambda text: [float(part) for part in text.split(",")], default="15,20",
                        help="budgets of bytes beside the sizes of single formats, in percent of the float model's")
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("models", nargs="+", metavar="NAME or NAME=MODEL,CALIBRATION,EVALUATION")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    results, tables = {}, []
    for text in options.models:
        name, files, few, budgets = find_model(text, options.folder)
        results[name] = Frontier(options, name, *files, few=few, budgets=budgets).measure()
        tables.append(table(name, results[name], few))
        print(tables[-1], flush=True)
        if not few:
            (options.folder / f"{name}.svg").write_text(plot(name, results[name]))
        (options.folder / "table.md").write_text("\n".join(tables))
        (options.folder / "frontier.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
