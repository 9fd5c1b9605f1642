#!/usr/bin/env python3
"""Size, speed and fidelity of one model in every precision that the tool has, and under budgets.

    python benchmark/frontier.py --halftone build/bin/halftone -o build/frontier \\
        demo=models/demo/fashion.onnx,models/demo/calibration.npz,build/fashion-test.npz \\
        efficientnet=build/models/efficientnet_lite0.onnx,build/photographs/calibration.npz,build/photographs/evaluation.npz

Each model is NAME=ONNX,CALIBRATION,EVALUATION. Calibration and selection see the first data only; fidelity is that
of the second, against the float model compiled by us: top-1 agreement and SQNR of the outputs. Latency is the median
of one interleaved `halftone bench` over all that were built, one thread, batch 1. A budget that is refused stands in
the table with the reason. Writes table.md, frontier.json and one plot for each model, SVG without a library.
"""

import argparse
import json
import pathlib
import subprocess

BUDGETS = {
    "bytes 15 %": ["--max-bytes=15%"],
    "bytes 20 %": ["--max-bytes=20%"],
    "bytes 40 %": ["--max-bytes=40%"],
    "latency 80 %": ["--max-latency=80%"],
    "half the drop": None,  # --max-drop at half of plain int8's, measured first
}


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    errors = [line.split("error: ", 1)[1] for line in done.stderr.splitlines() if "error: " in line]
    detail = [line.strip() for line in done.stderr.splitlines()[-2:] if line.startswith(" ")]
    return done.returncode, done.stdout, "; ".join(errors + detail)


def build(halftone, model, data, options, path):
    """The reason why it was refused, or nothing."""
    status, _, reason = run([halftone, "build", model, "--data", data, *options, "-o", path])
    return reason or "failed" if status else None


def fidelity(halftone, reference, path, data):
    _, text, _ = run([halftone, "compare", reference, path, "--data", data, "--json"])
    output = json.loads(text)[0]
    return {"agreement": output["same_top1"] / output["samples"], "sqnr_db": output.get("sqnr_db")}


def measure(halftone, name, model, calibration, evaluation, folder):
    rows = {}

    def add(title, options):
        path = folder / f"{name}-{title.replace(' ', '-').replace('%', 'percent')}.so"
        reason = build(halftone, model, calibration, options, path)
        rows[title] = {"refused": reason} if reason else {"path": str(path)}
        if not reason:
            rows[title].update(fidelity(halftone, rows["float"]["path"], path, evaluation))

    add("float", ["--float"])
    add("int8", [])
    for title, options in BUDGETS.items():
        if options is None:
            drop = 100 * (1 - rows["int8"]["agreement"]) / 2
            options = [f"--max-drop={drop:g}"]
            title = f"drop {drop:.2f} points"
        add(title, options)
    built = [row for row in rows.values() if "path" in row]
    status, text, _ = run([halftone, "bench", built[0]["path"], "--json", "--rounds=9"]
                          + [word for row in built[1:] for word in ("--against", row["path"])])
    for row, timed in zip(built, json.loads(text) if status == 0 else []):
        row["microseconds"], row["bytes"] = timed["median_us"], timed["constant_bytes"]
    return rows


def table(name, rows):
    lines = [f"### {name}", "", "| precision | bytes | of float | top-1 as float | SQNR dB | us | of int8 |",
             "|---|---|---|---|---|---|---|"]
    whole, plain = rows["float"], rows["int8"]
    for title, row in rows.items():
        if "refused" in row:
            lines.append(f"| {title} | refused: {row['refused']} | | | | | |")
            continue
        sqnr = "exact" if row["sqnr_db"] is None else f"{row['sqnr_db']:.1f}"
        lines.append(f"| {title} | {row['bytes']} | {row['bytes'] / whole['bytes']:.3f} | {row['agreement']:.3f} | {sqnr}"
                     f" | {row['microseconds']:.0f} | {row['microseconds'] / plain['microseconds']:.2f} |")
    return "\n".join(lines) + "\n"


def plot(name, rows):
    """Points of bytes (part of float) and SQNR, with their names."""
    points = [(row["bytes"] / rows["float"]["bytes"], row["sqnr_db"], title)
              for title, row in rows.items() if row.get("sqnr_db") is not None]
    top = max([20.0] + [y for _, y, _ in points]) * 1.1
    place = lambda x, y: (60 + 480 * x, 20 + 300 * (1 - y / top))
    marks = [f'<text x="60" y="14" font-weight="bold">{name}: SQNR (dB) over bytes (part of float)</text>']
    for i in range(6):
        x, y = place(i / 5, top * i / 5)
        marks += [f'<text x="{x:.0f}" y="338" text-anchor="middle">{i / 5:.1f}</text>',
                  f'<text x="52" y="{y + 4:.0f}" text-anchor="end">{top * i / 5:.0f}</text>',
                  f'<path d="M60 {y:.0f}H540" stroke="#ddd"/>']
    for x, y, title in points:
        at = place(x, y)
        marks += [f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4" fill="#2264c7"/>',
                  f'<text x="{at[0] + 7:.1f}" y="{at[1] + 4:.1f}">{title}</text>']
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 350" font-family="sans-serif" font-size="11">'
            '<rect width="700" height="350" fill="#fff"/>' + "".join(marks) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", required=True)
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("models", nargs="+", metavar="NAME=ONNX,CALIBRATION,EVALUATION")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for text in options.models:
        name, files = text.split("=", 1)
        results[name] = measure(options.halftone, name, *files.split(","), options.folder)
        print(table(name, results[name]), flush=True)
        (options.folder / f"{name}.svg").write_text(plot(name, results[name]))
    (options.folder / "table.md").write_text("\n".join(table(name, rows) for name, rows in results.items()))
    (options.folder / "frontier.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
