#!/usr/bin/env python3
"""Weights in few bits against the same weights as bytes, by one command.

    python benchmark/kernels/few_bits.py --halftone build/bin/halftone -o build/few-bits

Layers from i8 to i8 as in kernels.py, with weights that take few values: 16 levels (a codebook),
signed powers of two (logarithmic), the integers of 4 bits, 4, 8 or 60 other levels, codes of 4 bits with a multiplier for each 32 elements of
the reduction and column (groups), or of one of four tables for each 8 (tables). Each layer is compiled twice, with --weight-storage=bytes and
packed; both run in turns on one thread, and the ratio is that of the medians.

Products with M = 1 (kind gemv) run hot, one run after the other, and cold, each behind a sweep
through more memory than any cache holds. Their limit is the bandwidth of reading as many bytes as
the packed weights are, hot or cold, in the same run and by the same clock. With onnxruntime
installed its MatMulNBits (blocks of 32, accuracy level 4: int8 activations, which it finds from
the floats that it gets) runs in the same turns.
"""

import ctypes
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from kernels import (EPILOGUE, TARGETS, Contender, Reader, compile_reading, in_turns, layer,  # noqa: E402
                     load_reading, make_parser, name_of, parse, time_in_child)

SWEEP_BYTES = 1 << 30
LEVELS = {
    "codebook": [-127, -104, -83, -65, -49, -35, -22, -10, 0, 13, 25, 38, 53, 69, 89, 113],
    "log": [0] + [sign << k for k in range(7) for sign in (1, -1)],
    "integers": list(range(-7, 8)), "four": [-90, -30, 0, 100], "eight": [-101, -60, -31, -9, 10, 33, 62, 99], "sixty": list(range(-118, 121, 4))}
GROUP, TABLE_GROUP = 32, 8
MATRICES = [("gemm", [m, 1024, 1024]) for m in (6, 12, 18, 24, 48, 64, 196, 1024)] + [
    ("gemm", [3136, 64, 576]), ("gemm", [784, 128, 1152]), ("gemm", [196, 1024, 256]),
    ("gemm", [49, 512, 4608]), ("conv", [28, 128, 128, 3, 1]), ("conv", [14, 256, 256, 3, 1]),
    ("conv", [7, 512, 512, 3, 1]), ("conv", [14, 1024, 256, 1, 1]), ("conv", [7, 512, 2048, 1, 1])]
VECTORS = [("gemv", [1, n, 4096]) for n in (4096, 14336, 24576)]


def from_levels(levels):
    return lambda shape: np.random.default_rng(1).choice(np.array(levels, np.int8), shape)


def grouped(shape):
    """code * multiplier, a multiplier for GROUP elements of the reduction and column."""
    generator = np.random.default_rng(1)
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    codes = generator.integers(-7, 8, (rows, columns), np.int8)
    factors = generator.integers(5, 19, (-(-rows // GROUP), columns), np.int8)
    return (codes * np.repeat(factors, GROUP, 0)[:rows]).reshape(shape)


def tabled(shape):
    """Levels of one of four tables of 16, for TABLE_GROUP elements of the reduction and column; no level is in two."""
    generator = np.random.default_rng(1)
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    tables = np.arange(-126, 130, 4, np.int16).clip(-127, 127).astype(np.int8).reshape(16, 4).T
    chosen = np.repeat(generator.integers(0, 4, (-(-rows // TABLE_GROUP), columns)), TABLE_GROUP, 0)[:rows]
    return tables[chosen, generator.integers(0, 16, (rows, columns))].reshape(shape)


def makers():
    return {**{name: from_levels(levels) for name, levels in LEVELS.items()}, "groups": grouped, "tables": tabled}


def compile_both(options, kind, shape, weights, target):
    name = f"{name_of(kind, shape)}-{weights}-{target}"
    source = options.output / f"{name}.mlir"
    source.write_text(layer(kind, shape, EPILOGUE, makers()[weights])[0])
    for storage in ("bytes", "packed"):
        subprocess.run([options.halftone, "compile", source, "--target-cpu", TARGETS[target][0],
                        f"--weight-storage={storage}", "-o",
                        options.output / f"{name}-{storage}.so"],
                       check=True, stdout=subprocess.DEVNULL)
    source.unlink()


def cases(options):
    for kind, shape in MATRICES:
        for target in options.targets:
            for weights in options.weights:
                if kind in options.kinds and (weights != "groups" or options.all):
                    yield kind, shape, weights, target
    if "gemv" in options.kinds:
        for kind, shape in VECTORS:
            for weights in ("groups", "codebook", "integers", "tables"):
                yield kind, shape, weights, options.targets[-1]


class Peer:
    """onnxruntime's MatMulNBits of K x N."""

    def __init__(self, shape):
        import onnx
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper
        m, n, k = shape
        generator = np.random.default_rng(1)
        packed = generator.integers(0, 256, (n, k // GROUP, GROUP // 2), np.uint8)
        scales = generator.uniform(0.001, 0.01, n * k // GROUP).astype(np.float32)
        node = helper.make_node("MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft",
                                K=k, N=n, bits=4, block_size=GROUP, accuracy_level=4)
        graph = helper.make_graph(
            [node], "product", [helper.make_tensor_value_info("x", TensorProto.FLOAT, (m, k))],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, (m, n))],
            [numpy_helper.from_array(packed, "w"), numpy_helper.from_array(scales, "s")])
        model = helper.make_model(graph, ir_version=8, opset_imports=[
            helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), settings,
                                                    providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.binding.bind_cpu_input("x", generator.normal(size=(m, k)).astype(np.float32))
        self.binding.bind_output("y")

    def nanoseconds(self, count):
        start = time.perf_counter_ns()
        for _ in range(count):
            self.session.run_with_iobinding(self.binding)
        return (time.perf_counter_ns() - start) / count


def time_matrix(options, case):
    kind, shape, weights, target = case
    name = f"{name_of(kind, shape)}-{weights}-{target}"
    plain, packed = (Contender(options, f"{name}-{s}") for s in ("bytes", "packed"))
    if not np.array_equal(plain.output, packed.output):
        raise SystemExit(f"{name}: the outputs differ")
    took = in_turns([plain, packed], options.rounds)
    macs = layer(kind, shape)[1]
    return {"kind": kind, "shape": shape, "weights": weights, "target": target,
            "bytes_gops": 2 * macs / took[0], "packed_gops": 2 * macs / took[1],
            "ratio": took[0] / took[1], "file": packed.bytes / plain.bytes}


def time_vector(options, case, library, sweep):
    kind, shape, weights, target = case
    name = f"{name_of(kind, shape)}-{weights}-{target}"
    plain, packed = (Contender(options, f"{name}-{s}") for s in ("bytes", "packed"))
    if not np.array_equal(plain.output, packed.output):
        raise SystemExit(f"{name}: the outputs differ")
    sizes = [plain.constant_bytes(), packed.constant_bytes()]
    contenders = [plain, packed, *(Reader(library, size) for size in sizes)]
    try:
        contenders.append(Peer(shape))
    except ImportError:
        pass
    rows = []
    for heat in ("hot", "cold"):
        before = (lambda: None) if heat == "hot" else sweep
        took = in_turns(contenders, options.rounds if heat == "hot" else 5,
                        2e6 if heat == "hot" else 0, before)
        rows.append({"kind": kind, "shape": shape, "weights": weights, "target": target,
                     "heat": heat, "bytes_us": took[0] / 1e3, "packed_us": took[1] / 1e3,
                     "bytes_bandwidth": took[2] / took[0], "packed_bandwidth": took[3] / took[1],
                     "read_gbs": sizes[1] / took[3], "ratio": took[0] / took[1],
                     "peer_us": took[4] / 1e3 if len(took) > 4 else None,
                     "peer_ratio": took[1] / took[4] if len(took) > 4 else None})
    return rows


def mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def print_results(results):
    matrices = [row for row in results if row["kind"] != "gemv"]
    if matrices:
        print("\n| layer | weights | target | bytes: Gop/s | packed: Gop/s | ratio | file |\n"
              "|---|---|---|---|---|---|---|")
    for row in matrices:
        print(f"| {name_of(row['kind'], row['shape'])} | {row['weights']} | {row['target']} | "
              f"{row['bytes_gops']:.0f} | {row['packed_gops']:.0f} | {row['ratio']:.2f} | "
              f"{row['file']:.2f} |")
    for key in sorted({(row["target"], row["weights"]) for row in matrices}):
        ratios = [row["ratio"] for row in matrices if (row["target"], row["weights"]) == key]
        print(f"{' '.join(key)}: geometric mean {mean(ratios):.2f}, least {min(ratios):.2f}")
    vectors = [row for row in results if row["kind"] == "gemv"]
    if not vectors:
        return
    print("\n| N x K | weights | | bytes: us | % of reading | packed: us | % of reading (GB/s) | "
          "bytes / packed | MatMulNBits: us | packed / it |\n" + "|---" * 10 + "|")
    for row in vectors:
        peer = (f"{row['peer_us']:.0f} | {row['peer_ratio']:.2f}" if row["peer_us"] else " | ")
        print(f"| {row['shape'][1]}x{row['shape'][2]} | {row['weights']} | {row['heat']} | "
              f"{row['bytes_us']:.0f} | {100 * row['bytes_bandwidth']:.0f} | "
              f"{row['packed_us']:.0f} | {100 * row['packed_bandwidth']:.0f} "
              f"({row['read_gbs']:.1f}) | {row['ratio']:.2f} | {peer} |")
    for weights in sorted({row["weights"] for row in vectors}):
        ratios = [r["peer_ratio"] for r in vectors if r["weights"] == weights and r["peer_us"]]
        if ratios:
            print(f"{weights} against MatMulNBits: geometric mean {mean(ratios):.2f}, "
                  f"greatest {max(ratios):.2f}")


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--kinds", nargs="+", default=["gemm", "conv", "gemv"])
    parser.add_argument("--weights", nargs="+", default=["codebook"], choices=makers())
    parser.add_argument("--all", action="store_true", help="groups for matrices, too")
    parser.add_argument("--rounds", type=int, default=7)
    options = parse(parser)
    if not options.time:
        compile_reading(options)
        for case in cases(options):
            compile_both(options, *case)
        time_in_child(options, __file__)
        return
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # in the timed child
    library = load_reading(options)
    swept = np.ones(SWEEP_BYTES if "gemv" in options.kinds else 512, np.uint8)
    sweep = lambda: library.read_nanoseconds(  # noqa: E731
        ctypes.c_void_p(swept.ctypes.data), ctypes.c_size_t(swept.size))
    results = []
    for case in cases(options):
        if case[0] == "gemv":
            results += time_vector(options, case, library, sweep)
        else:
            results.append(time_matrix(options, case))
    (options.output / "few_bits.json").write_text(json.dumps(results, indent=2) + "\n")
    print_results(results)


if __name__ == "__main__":
    main()
