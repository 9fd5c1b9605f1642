#!/usr/bin/env python3
"""3x3 convolutions by Winograd's F(2x2, 3x3) against the same by dots, on AVX2.

    python benchmark/kernels/winograd.py --halftone build/bin/halftone -o build/winograd

Each shape of winograd_shapes.json (side, channels in, channels out; stride 1, padded) becomes one layer as in kernels.py, compiled for
x86-64-v3 with two cost tables: one in which Winograd's kernel costs nothing, and one in which it costs too much. Both run in turns on
one thread; the outputs have to be the same. What the built-in table would choose stands beside the times.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from kernels import Contender, in_turns, layer, make_parser, parse, time_in_child  # noqa: E402

TABLE = HERE.parent.parent / "lib" / "Codegen" / "CostTables" / "x86-64-v3.json"
KERNEL = "winograd_256"
FACTORS = {"winograd": 1e-6, "dots": 1e6, "chosen": 1}
ROUNDS = 15


def name_of(shape, which):
    return f"window-{'x'.join(map(str, shape))}-{which}"


def compile_all(options, shapes):
    for which, factor in FACTORS.items():
        table = json.loads(TABLE.read_text())
        table["kernels"][KERNEL] = {key: value * factor for key, value in table["kernels"][KERNEL].items()}
        costs = options.output / f"{which}.json"
        costs.write_text(json.dumps(table))
        for shape in shapes:
            source = options.output / "window.mlir"
            source.write_text(layer("conv", (*shape, 3, 1))[0])
            subprocess.run([options.halftone, "compile", source, "--target-cpu", "x86-64-v3", "--cost", costs, "-o",
                            options.output / f"{name_of(shape, which)}.so"], check=True, stdout=subprocess.DEVNULL)


def measure(options, shape):
    """The least times in microseconds, and whether the built-in table takes Winograd's kernel."""
    fast, dots, chosen = (Contender(options, name_of(shape, which)) for which in FACTORS)
    if fast.kernel != KERNEL or dots.kernel == KERNEL:
        raise SystemExit(f"{shape}: computed by {fast.kernel} and {dots.kernel}")
    if (fast.output != dots.output).any():
        raise SystemExit(f"{shape}: the outputs differ")
    times = in_turns([fast, dots], ROUNDS, budget=1e6, statistic=min)
    return {"shape": shape, "winograd_us": times[0] / 1e3, "dots_us": times[1] / 1e3, "chosen": chosen.kernel == KERNEL}


def main():
    options = parse(make_parser(__doc__, targets=None))
    shapes = json.loads((HERE / "winograd_shapes.json").read_text())
    if not options.time:
        compile_all(options, shapes)
        return time_in_child(options, __file__)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rows = [measure(options, shape) for shape in shapes]
    (options.output / "winograd.json").write_text(json.dumps(rows, indent=2) + "\n")
    print("| side x channels in x out | dots: us | Winograd: us | | chosen |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {'x'.join(map(str, row['shape']))} | {row['dots_us']:.4g} | {row['winograd_us']:.4g} | "
              f"{row['winograd_us'] / row['dots_us']:.2f} | {'yes' if row['chosen'] else 'no'} |")


if __name__ == "__main__":
    main()
