#!/usr/bin/env python3
"""Kernels against the limits of this machine, by one command.

    python benchmark/kernels/kernels.py --halftone build/bin/halftone -o build/kernels

Each shape of shapes.json (products M, N, K; convolutions side, channels in, channels out, kernel,
stride; depthwise side, channels, kernel, stride) becomes one layer from i8 to i8 with its
requantization, as MLIR of the integer stage with random weights, compiled by `halftone compile`
for each target and run on one thread. Beside each time stands its percentage of the peak that
peaks.c measured in the same run (dots from registers), or, for products with M = 1, of the
bandwidth of the level that holds the weights. A peak counts only if it is at least 85 % of the theoretical
one at the clock measured in the same run; else the theoretical one is used. The epilogue's share
is the time that falls away when a twin of the layer returns its i32 sums' low bytes unscaled.
"""

import argparse
import json
import math
import pathlib
import shlex
import statistics
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from artefact import Session  # noqa: E402

TARGETS = {"amx": ("x86-64-v4+amx", "amx_gops", 2048),
           "vnni": ("x86-64-v4+avx512vnni", "vnni_gops", 256)}

EPILOGUE = """    %s0 = arith.addi %a, %b : i32
    %s1 = arith.sitofp %s0 : i32 to f32
    %s2 = arith.mulf %s1, %m : f32
    %lo = arith.constant -125.0 : f32
    %hi = arith.constant 130.0 : f32
    %z = arith.constant -3 : i32
    %p0 = arith.cmpf ogt, %s2, %lo : f32
    %t0 = arith.select %p0, %s2, %lo : f32
    %p1 = arith.cmpf olt, %t0, %hi : f32
    %t1 = arith.select %p1, %t0, %hi : f32
    %t2 = math.roundeven %t1 : f32
    %t3 = arith.fptosi %t2 : f32 to i32
    %t4 = arith.addi %t3, %z : i32
    %t5 = arith.trunci %t4 : i32 to i8
"""


def tensor(shape, element):
    return "tensor<" + "x".join([*map(str, shape), element]) + ">"


def module(x, w, out, operation, padding):
    """The MLIR text of one layer: `operation` on x and weights w, then the requantization."""
    generator = np.random.default_rng(1)
    weights = generator.integers(-127, 128, w, np.int8)
    blob = "04000000" + weights.tobytes().hex()
    rank, channels = len(out), out[-1]
    axes = ", ".join(f"d{i}" for i in range(rank))
    each, last = f"affine_map<({axes}) -> ({axes})>", f"affine_map<({axes}) -> (d{rank - 1})>"
    source, kind, text = "%x", tensor(x, "i8"), ""
    if padding:
        wide = [x[0], x[1] + 2 * padding, x[2] + 2 * padding, x[3]]
        text = (f"  %pad = arith.constant -5 : i8\n  %p = tensor.pad %x low[0, {padding}, "
                f"{padding}, 0] high[0, {padding}, {padding}, 0] {{\n"
                "  ^bb0(%i: index, %j: index, %k: index, %l: index):\n"
                f"    tensor.yield %pad : i8\n  }} : {kind} to {tensor(wide, 'i8')}\n")
        source, kind = "%p", tensor(wide, "i8")
    sums, result = tensor(out, "i32"), tensor(out, "i8")
    bias, scale = tensor([channels], "i32"), tensor([channels], "f32")
    parallel = ", ".join(['"parallel"'] * rank)
    factor = 1 / (60 * math.sqrt(np.prod(w) / channels) * 40)
    dims = ", ".join(["unit"] * (rank - 1))
    return (
        'module attributes {halftone.source_hash = "kernel"} {\n'
        f'func.func @main(%x: {tensor(x, "i8")} {{halftone.name = "x"}}) '
        f'-> ({result} {{halftone.name = "y"}}) {{\n{text}'
        f"  %w = arith.constant dense_resource<w> : {tensor(w, 'i8')}\n"
        f"  %zero = arith.constant 0 : i32\n  %e = tensor.empty() : {sums}\n"
        f"  %f = linalg.fill ins(%zero : i32) outs(%e : {sums}) -> {sums}\n"
        f"  %acc = {operation} ins({source}, %w : {kind}, {tensor(w, 'i8')}) "
        f"outs(%f : {sums}) -> {sums}\n"
        f"  %bias = arith.constant dense<77> : {bias}\n"
        f"  %mul = arith.constant dense<{factor:.9f}> : {scale}\n  %q = tensor.empty() : {result}\n"
        f"  %y = linalg.generic {{indexing_maps = [{each}, {last}, {last}, {each}], "
        f"iterator_types = [{parallel}]}} ins(%acc, %bias, %mul : {sums}, {bias}, {scale}) "
        f"outs(%q : {result}) {{\n  ^bb0(%a: i32, %b: i32, %m: f32, %o: i8):\n{EPILOGUE}"
        f"    linalg.yield %t5 : i8\n  }} -> {result}\n  return %y : {result}\n}}\n}}\n"
        f'{{-# dialect_resources: {{ builtin: {{ w: "0x{blob}" }} }} #-}}\n')


def layer(kind, shape):
    """(text, multiply-accumulates, bytes of weights) of one row of shapes.json."""
    if kind in ("gemm", "gemv"):
        m, n, k = shape
        return module((m, k), (k, n), (m, n), "linalg.matmul", 0), m * n * k, k * n
    if kind == "conv":
        side, inputs, outputs, kernel, stride = shape
        name, weights = "conv_2d_nhwc_hwcf", (kernel, kernel, inputs, outputs)
    else:
        side, outputs, kernel, stride = shape
        name, weights, inputs = "depthwise_conv_2d_nhwc_hwc", (kernel, kernel, outputs), outputs
    after = (side - 1) // stride + 1
    operation = (f"linalg.{name} {{strides = dense<{stride}> : tensor<2xi64>, "
                 "dilations = dense<1> : tensor<2xi64>}")
    macs = after * after * int(np.prod(weights))
    text = module((1, side, side, inputs), weights, (1, after, after, outputs), operation,
                  kernel // 2)
    return text, macs, int(np.prod(weights))


def compile_all(options, shapes):
    for kind, rows in shapes.items():
        for shape in rows:
            name = f"{kind}-{'x'.join(map(str, shape))}"
            source = options.output / f"{name}.mlir"
            source.write_text(layer(kind, shape)[0])
            for target in options.targets:
                subprocess.run([options.halftone, "compile", source, "--target-cpu",
                                TARGETS[target][0], "-o", options.output / f"{name}-{target}.so"],
                               check=True, stdout=subprocess.DEVNULL)
            source.unlink()


def nanoseconds(session, rounds=7):
    """The median of several rounds of about 4 ms; the layers' own time, by the profile."""
    import time
    feed = next(iter(session.inputs.values()))
    feed[...] = np.random.default_rng(2).integers(-128, 128, feed.shape)
    session.run()
    start = time.perf_counter()
    session.run()
    count = max(3, int(0.004 / (time.perf_counter() - start)))
    return statistics.median(session.layer_nanoseconds(count) for _ in range(rounds))


def limit_of(kind, target, weights, peaks):
    """What a percentage refers to: ("Gop/s", value) or ("GB/s", value)."""
    if kind == "gemv":
        level = "l2_gbs" if weights < 1 << 20 else "l3_gbs"
        return "GB/s", peaks[level]
    _, key, operations = TARGETS[target]
    theory = operations * peaks["ghz"]
    return "Gop/s", peaks[key] if peaks[key] >= 0.85 * theory else theory


def time_all(options, shapes, peaks):
    results = []
    for kind, rows in shapes.items():
        for shape in rows:
            _, macs, weights = layer(kind, shape)
            row = {"kind": kind, "shape": shape}
            for target in options.targets:
                name = f"{kind}-{'x'.join(map(str, shape))}-{target}.so"
                session = Session(options.runtime, options.output / name)
                took = nanoseconds(session)
                unit, limit = limit_of(kind, target, weights, peaks)
                rate = (weights if unit == "GB/s" else 2 * macs) / took
                row[target] = {"us": took / 1e3, "rate": rate, "unit": unit,
                               "percent": 100 * rate / limit,
                               "kernel": session.kernels()[-1]}
            results.append(row)
    return results


def print_results(results, targets):
    for kind in dict.fromkeys(row["kind"] for row in results):
        rows = [row for row in results if row["kind"] == kind]
        print(f"\n{kind}\n| shape | " + " | ".join(
            f"{t}: us | rate | % of the limit | kernel" for t in targets) + " |")
        print("|---" * (1 + 4 * len(targets)) + "|")
        for row in rows:
            cells = [f"{c['us']:.1f} | {c['rate']:.0f} {c['unit']} | {c['percent']:.1f} | "
                     f"{c['kernel']}" for c in (row[t] for t in targets)]
            print(f"| {'x'.join(map(str, row['shape']))} | " + " | ".join(cells) + " |")
        for target in targets:
            values = [row[target]["percent"] for row in rows]
            mean = math.exp(statistics.fmean(map(math.log, values)))
            print(f"\n{target}: geometric mean {mean:.1f} %, least {min(values):.1f} %"
                  + (", a shape is below half the mean" if min(values) < mean / 2 else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--kinds", nargs="+", help="of shapes.json; default: all")
    parser.add_argument("--cc", default="clang-22", help="the C compiler for peaks.c")
    parser.add_argument("--launcher", default="", help="words before the command of a timed run")
    parser.add_argument("--time", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    options.halftone = options.halftone.resolve()
    options.runtime = options.halftone.parent.parent / "lib" / "libhalftone_runtime.so"
    shapes = json.loads((HERE / "shapes.json").read_text())
    shapes = {kind: shapes[kind] for kind in options.kinds or shapes}
    peaks_program = options.output.resolve() / "peaks"
    if options.time:  # in the timed child
        import os
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        peaks = json.loads(subprocess.run([peaks_program], check=True, text=True,
                                          stdout=subprocess.PIPE).stdout)
        results = time_all(options, shapes, peaks)
        (options.output / "kernels.json").write_text(
            json.dumps({"peaks": peaks, "kernels": results}, indent=2) + "\n")
        print("limits:", json.dumps(peaks))
        print_results(results, options.targets)
        return
    subprocess.run([options.cc, "-O2", "-march=native", HERE / "peaks.c", "-o", peaks_program],
                   check=True)
    compile_all(options, shapes)
    subprocess.run([*shlex.split(options.launcher), sys.executable, __file__, *sys.argv[1:],
                    "--time"], check=True)


if __name__ == "__main__":
    main()
