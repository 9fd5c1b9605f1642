#!/usr/bin/env python3
"""3x3 convolutions by Winograd's F(4x4, 3x3) and F(2x2, 3x3) against the same by dots.

    python benchmark/kernels/winograd.py --halftone build/bin/halftone -o build/winograd

Each shape of winograd_shapes.json (side, channels in, channels out; stride 1, padded) becomes one layer as in kernels.py, compiled with
cost tables in which one of the target's kernels of Winograd's costs nothing and the others too much, or all too much. They run in turns on
one thread; the outputs have to be the same. What the built-in table would choose stands beside the times.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from kernels import TARGETS, Contender, in_turns, layer, make_parser, parse, time_in_child  # noqa: E402

TABLES = HERE.parent.parent / "lib" / "Codegen" / "CostTables"
# Of each target the cost table and the kernels.
KERNELS = {"vnni": ("x86-64-v4", ["winograd4_512"]), "znver4": ("znver4", ["winograd4_512"]),
           "avx2": ("x86-64-v3", ["winograd4_256", "winograd2_256"])}
FREE, DEAR = 1e-6, 1e6
ROUNDS = 15


def name_of(shape, target, which):
    return f"window-{'x'.join(map(str, shape))}-{target}-{which}"


def compile_all(options, shapes, target):
    base, kernels = KERNELS[target]
    for which in [*kernels, "dots", "chosen"]:
        table = json.loads((TABLES / f"{base}.json").read_text())
        for kernel in kernels if which != "chosen" else []:
            table["kernels"][kernel] = {key: value * (FREE if kernel == which else DEAR) for key, value in table["kernels"][kernel].items()}
        costs = options.output / f"{which}.json"
        costs.write_text(json.dumps(table))
        for shape in shapes:
            source = options.output / "window.mlir"
            source.write_text(layer("conv", (*shape, 3, 1))[0])
            subprocess.run([options.halftone, "compile", source, "--target-cpu", TARGETS[target][0], "--cost", costs, "-o",
                            options.output / f"{name_of(shape, target, which)}.so"], check=True, stdout=subprocess.DEVNULL)


def measure(options, target, shape):
    """The least times in microseconds, and which the built-in table takes. A kernel that cannot hold the sums of a shape has none."""
    kernels = KERNELS[target][1]

    def computed_by(contender):
        return contender.kernel if contender.kernel in kernels else "dots"

    found = {which: Contender(options, name_of(shape, target, which)) for which in [*kernels, "dots", "chosen"]}
    if any((contender.output != found["dots"].output).any() for contender in found.values()):
        raise SystemExit(f"{shape}: the outputs differ")
    timed = {which: found[which] for which in [*kernels, "dots"] if computed_by(found[which]) == which}
    times = dict(zip(timed, in_turns(list(timed.values()), ROUNDS, budget=1e6, statistic=min)))
    return {"shape": shape, "target": target, "chosen": computed_by(found["chosen"]),
            **{f"{which}_us": time / 1e3 for which, time in times.items()}}


def main():
    options = parse(make_parser(__doc__, targets=KERNELS))
    shapes = json.loads((HERE / "winograd_shapes.json").read_text())
    if not options.time:
        for target in options.targets:
            compile_all(options, shapes, target)
        return time_in_child(options, __file__)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rows = [measure(options, target, shape) for target in options.targets for shape in shapes]
    (options.output / "winograd.json").write_text(json.dumps(rows, indent=2) + "\n")
    for target in options.targets:
        kernels = KERNELS[target][1]
        print(f"{target}\n\n| side x channels in x out | dots: us | " + " | ".join(f"{kernel}: us | " for kernel in kernels) + " | chosen |\n" +
              "|---" * (3 + 2 * len(kernels)) + "|")
        for row in rows:
            if row["target"] == target:
                times = [row.get(f"{kernel}_us") for kernel in kernels]
                cells = [f"{time:.4g} | {time / row['dots_us']:.2f}" if time else "- | -" for time in times]
                print(f"| {'x'.join(map(str, row['shape']))} | {row['dots_us']:.4g} | {' | '.join(cells)} | {row['chosen']} |")


if __name__ == "__main__":
    main()
