#!/usr/bin/env python3
"""Sparse weights against dense ones, and against what `halftone prune --predict` says, by one command.

    python benchmark/kernels/sparse.py --halftone build/bin/halftone --targets znver4 -o build/sparse

Layers from i8 to i8 as in kernels.py, of sparse_shapes.json. A share of the quads (4 input channels of a
tap and an output channel), chosen at random, is zero. Each layer is compiled dense, and for each share by
the target's own table; the kernel that it does not choose is compiled by a table in which the other is slow.
All run in turns on one thread, 10 shapes x 5 in each round; a measured speed-up is the ratio of the
least times (of two medians with --median): what else runs on the other thread of a core slows the loads of
sparse kernels more than the dots of dense ones. Before that the outputs of the sparse kernel are compared
with those of dense code, bit for bit.

Predictions are what `prune --predict` prints for the same layer in floats: the times of both kernels, and
which of them code generation takes. A layer is `fitted` where the built-in table was fitted to a layer of
its shape (those of `bench --tune`), else held out.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from kernels import (EPILOGUE, TARGETS, Contender, in_turns, layer, make_parser, name_of, parse,  # noqa: E402
                     tensor, time_in_child)

QUAD = 4
WITHIN = 15  # percent
TABLES = HERE.parent.parent / "lib" / "Codegen" / "CostTables"
TABLE_OF = {"vnni": "x86-64-v4", "znver4": "znver4", "avx2": "x86-64-v3"}


def make_zeros(share):
    """Makes weights of which so many quads are zero."""
    def make(shape):
        generator = np.random.default_rng(1)
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        weights = generator.integers(1, 128, (rows, columns), np.int8)
        weights *= generator.choice(np.array([-1, 1], np.int8), weights.shape)
        kept = np.ones(rows // QUAD * columns, np.int8)
        kept[generator.permutation(kept.size)[:round(share * kept.size)]] = 0
        return (weights * np.repeat(kept.reshape(-1, columns), QUAD, 0)).reshape(shape)
    return make


def float_module(kind, shape):
    """The layer as a stage import has it, for `prune --predict`. A second, small one reads its results, so that they are
    codes as in a network, not the floats that a model ends with."""
    if kind == "gemm":
        m, n, k = shape
        x, w, out, operation = (m, k), (k, n), (m, n), "linalg.matmul"
        w2, out2, operation2 = (n, QUAD), (m, QUAD), operation
    else:
        side, inputs, outputs, window, stride = shape
        wide, after = side + 2 * (window // 2), (side - 1) // stride + 1
        x, w, out = (1, wide, wide, inputs), (window, window, inputs, outputs), (1, after, after, outputs)
        w2, out2 = (1, 1, outputs, QUAD), (1, after, after, QUAD)
        operation, operation2 = (f"linalg.conv_2d_nhwc_hwcf {{strides = dense<{step}> : tensor<2xi64>, "
                                 "dilations = dense<1> : tensor<2xi64>}" for step in (stride, 1))
    x, w, out, w2, out2 = (tensor(extents, "f32") for extents in (x, w, out, w2, out2))
    return (f"func.func @main(%x: {x}) -> {out2} {{\n  %zero = arith.constant 0.0 : f32\n"
            f"  %w = arith.constant dense<0.5> : {w}\n  %e = tensor.empty() : {out}\n"
            f"  %f = linalg.fill ins(%zero : f32) outs(%e : {out}) -> {out}\n"
            f"  %y = {operation} ins(%x, %w : {x}, {w}) outs(%f : {out}) -> {out} loc(\"layer\")\n"
            f"  %w2 = arith.constant dense<0.5> : {w2}\n  %e2 = tensor.empty() : {out2}\n"
            f"  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : {out2}) -> {out2}\n"
            f"  %z = {operation2} ins(%y, %w2 : {out}, {w2}) outs(%f2 : {out2}) -> {out2} loc(\"reader\")\n"
            f"  return %z : {out2}\n}}\n")


def predict(options, path, share, target):
    """What `prune --predict` says of the layer."""
    text = subprocess.run([options.halftone, "prune", path, "--predict", "--ends", f"--sparsity={share}",
                           "--target-cpu", TARGETS[target][0]], check=True, text=True, stdout=subprocess.PIPE).stdout
    dense, sparse, taken = re.search(r"^layer +([0-9.]+) +([0-9.]+) .* (sparse|dense)$", text, re.MULTILINE).groups()
    return {"dense": float(dense), "sparse": float(sparse), "taken": taken}


def write_tables(options, target):
    """The option that forces a kernel: of a table in which the other one is slow."""
    arguments = {}
    for forced, key in (("sparse", "load_cycles"), ("dense", "sparse_dot_cycles")):
        table = json.loads((TABLES / f"{TABLE_OF[target]}.json").read_text())
        for row in table["kernels"].values():
            if key in row:
                row[key] = 1e5
        path = options.output / f"{target}-{forced}.json"
        path.write_text(json.dumps(table))
        arguments[forced] = f"--cost={path}"
    return arguments


def kernel_of(options, path):
    return Contender(options, path.stem).kernel


def compile_case(options, case, target, tables):
    """No zeros, and each share of zeros on both kernels: the one that the table chooses, and the other. Gives the predictions
    and choices."""
    name = f"{name_of(case['kind'], case['shape'])}-{target}"
    source = options.output / f"{name}.mlir"

    def compile_as(suffix, *extra):
        path = options.output / f"{name}-{suffix}.so"
        subprocess.run([options.halftone, "compile", source, "--target-cpu", TARGETS[target][0], *extra, "-o", path],
                       check=True, stdout=subprocess.DEVNULL)
        return path

    rows = {}
    for share in [0, *options.sparsities]:
        source.write_text(layer(case["kind"], case["shape"], EPILOGUE, make_zeros(share))[0])
        if not share:
            compile_as("0-dense")
            continue
        path = compile_as(f"{share}-chosen")
        chosen = "sparse" if kernel_of(options, path).startswith("sparse_") else "dense"
        other = "dense" if chosen == "sparse" else "sparse"
        path.rename(options.output / f"{name}-{share}-{chosen}.so")
        compile_as(f"{share}-{other}", tables[other])
        rows[share] = {"chosen": chosen}
    source.write_text(float_module(case["kind"], case["shape"]))
    for share, row in rows.items():
        row.update(predict(options, source, share, target))
    source.unlink()
    return rows


class Case:
    """The sessions of one shape: dense, and sparse for each share of zeros."""

    def __init__(self, options, shape, target):
        self.shape, self.name = shape, name_of(shape["kind"], shape["shape"])
        load = lambda share, suffix: Contender(options, f"{self.name}-{target}-{share}-{suffix}")  # noqa: E731
        self.sessions = [load(0, "dense")]
        for share in options.sparsities:
            sparse, dense = load(share, "sparse"), load(share, "dense")
            if not np.array_equal(sparse.output, dense.output):
                raise SystemExit(f"{self.name}, {share}: the outputs of the kernels differ")
            if not sparse.kernel.startswith("sparse_") or dense.kernel.startswith("sparse_"):
                raise SystemExit(f"{self.name}, {share}: a kernel could not be forced")
            self.sessions.append(sparse)


def time_all(options, shapes, predictions, target):
    cases = [Case(options, shape, target) for shape in shapes]
    times = in_turns([session for case in cases for session in case.sessions], options.rounds,
                     statistic=statistics.median if options.median else min)
    rows = []
    for i, case in enumerate(cases):
        dense, *sparse = times[i * len(case.sessions):(i + 1) * len(case.sessions)]
        for share, took in zip(options.sparsities, sparse):
            said = predictions[case.name][str(share)]
            rows.append({"layer": case.name, "fitted": case.shape["fitted"], "sparsity": share, "dense_us": dense / 1e3,
                         "sparse_us": took / 1e3, "speedup": dense / took, "predicted": said["dense"] / said["sparse"],
                         "predicted_dense_us": said["dense"], "predicted_sparse_us": said["sparse"],
                         "chosen": said["chosen"], "predicted_choice": said["taken"]})
    for row in rows:
        row["error_percent"] = 100 * (row["predicted"] / row["speedup"] - 1)
    return rows


def print_results(rows, target):
    print(f"\n{target}\n\n| layer | | zeros | dense us | sparse us | speed-up | predicted | error % | taken |\n" + "|---" * 9 + "|")
    for row in rows:
        print(f"| {row['layer']} | {'fitted' if row['fitted'] else 'held out'} | {row['sparsity']:.0%} | {row['dense_us']:.1f} | "
              f"{row['sparse_us']:.1f} | {row['speedup']:.2f} | {row['predicted']:.2f} | {row['error_percent']:+.0f} | "
              f"{row['chosen']} |")
    print()
    for title, part in (("fitted", [r for r in rows if r["fitted"]]), ("held out", [r for r in rows if not r["fitted"]])):
        within = sum(abs(row["error_percent"]) <= WITHIN for row in part)
        print(f"{title}: {within} of {len(part)} within {WITHIN} %, worst {max((r['error_percent'] for r in part), key=abs):+.0f} %")
    slower = [f"{row['layer']} at {row['sparsity']:.0%}" for row in rows if row["chosen"] == "sparse" and row["speedup"] < 1]
    print("taken, but slower than dense:", ", ".join(slower) or "none")
    differ = [f"{row['layer']} at {row['sparsity']:.0%}" for row in rows if row["chosen"] != row["predicted_choice"]]
    print("--predict and code generation choose differently:", ", ".join(differ) or "never")


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--median", action="store_true", help="take medians, on a machine with nothing else to do")
    options = parse(parser)
    if "amx" in options.targets:
        parser.error("the sparse kernels are on vectors: give --targets vnni, znver4 or avx2")
    data = json.loads((HERE / "sparse_shapes.json").read_text())
    options.sparsities = data["sparsities"]
    said = options.output / "predictions.json"
    if not options.time:
        said.write_text(json.dumps({target: {
            name_of(case["kind"], case["shape"]): compile_case(options, case, target, write_tables(options, target))
            for case in data["layers"]} for target in options.targets}))
        time_in_child(options, __file__)
        return
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # in the timed child
    predictions, results = json.loads(said.read_text()), {}
    for target in options.targets:
        results[target] = time_all(options, data["layers"], predictions[target], target)
        print_results(results[target], target)
    (options.output / "sparse.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
