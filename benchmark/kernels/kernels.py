#!/usr/bin/env python3
"""Kernels against the limits of this machine, by one command.

    python benchmark/kernels/kernels.py --halftone build/bin/halftone -o build/kernels

Each shape of shapes.json (products M, N, K; convolutions side, channels in, channels out, kernel,
stride; depthwise side, channels, kernel, stride) becomes one layer from i8 to i8 with its
requantization, as MLIR of the integer stage with random weights. A lookup before it stands for
the layer that a network has there, and is not timed. `halftone compile` makes it for each target;
it runs on one thread. Beside each time stands its percentage of the peak that peaks.c measured in
the same run (dots from registers), or, for products with M = 1, of the speed at which as many
bytes as the weights are read, measured in turns with the product.
A peak counts only if it is at least 85 % of the theoretical one at the clock measured in the same
run, which goes by the CPU's family and model (halftone/Target/DotRate.h); else the theoretical one
is used. The epilogue's share of a product is the time that falls
away when a twin of the layer returns its sums' low bytes. With onnxruntime installed, its
QLinearMatMul (u8 x s8, its fast case) runs the same products.
"""

import argparse
import ctypes
import json
import math
import mmap
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from artefact import Session  # noqa: E402

TARGETS = {"amx": ("x86-64-v4+amx", "amx_gops"), "vnni": ("x86-64-v4+avx512vnni", "vnni_gops"),
           "znver4": ("znver4", "vnni_gops"), "avx2": ("x86-64-v3", "avx2_gops")}
TILE_OPERATIONS, DOT_OPERATIONS = 2048, 128  # of one cycle, and of one 512-bit dot
AVX2_OPERATIONS = 64  # of one cycle: two multiplications, two of which are one dot of 256 bits
ROUNDS = 7
WARM_RUNS = 8
HUGE_PAGE = 2 << 20

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


LOW_BYTE = "    %t5 = arith.trunci %a : i32 to i8\n"


def tensor(shape, element):
    return "tensor<" + "x".join([*map(str, shape), element]) + ">"


def module(x, w, out, operation, padding, epilogue, weights=None):
    """The MLIR text of one layer: `operation` on x and weights of shape w, then the epilogue."""
    if weights is None:
        weights = np.random.default_rng(1).integers(-127, 128, w, np.int8)
    blob = "04000000" + weights.tobytes().hex()
    rank, channels = len(out), out[-1]
    axes = ", ".join(f"d{i}" for i in range(rank))
    each, last = f"affine_map<({axes}) -> ({axes})>", f"affine_map<({axes}) -> (d{rank - 1})>"
    source, kind = "%codes", tensor(x, "i8")
    text = (f"  %table = arith.constant dense<1> : tensor<256xi8>\n"
            f"  %space = tensor.empty() : {kind}\n  %codes = halftone.lookup ins(%x, %table : "
            f"{kind}, tensor<256xi8>) outs(%space : {kind}) -> {kind}\n")
    if padding:
        wide = [x[0], x[1] + 2 * padding, x[2] + 2 * padding, x[3]]
        text += (f"  %pad = arith.constant -5 : i8\n  %p = tensor.pad %codes low[0, {padding}, "
                f"{padding}, 0] high[0, {padding}, {padding}, 0] {{\n"
                "  ^bb0(%i: index, %j: index, %k: index, %l: index):\n"
                f"    tensor.yield %pad : i8\n  }} : {kind} to {tensor(wide, 'i8')}\n")
        source, kind = "%p", tensor(wide, "i8")
    sums, result = tensor(out, "i32"), tensor(out, "i8")
    bias, scale = tensor([channels], "i32"), tensor([channels], "f32")
    parallel = ", ".join(['"parallel"'] * rank)
    factor = 1 / (60 * math.sqrt(np.prod(w) / channels) * 40)
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
        f"outs(%q : {result}) {{\n  ^bb0(%a: i32, %b: i32, %m: f32, %o: i8):\n{epilogue}"
        f"    linalg.yield %t5 : i8\n  }} -> {result}\n  return %y : {result}\n}}\n}}\n"
        f'{{-# dialect_resources: {{ builtin: {{ w: "0x{blob}" }} }} #-}}\n')


def layer(kind, shape, epilogue=EPILOGUE, make_weights=lambda shape: None):
    """(text, multiply-accumulates, bytes of weights) of one row of shapes.json."""
    if kind in ("gemm", "gemv"):
        m, n, k = shape
        return (module((m, k), (k, n), (m, n), "linalg.matmul", 0, epilogue, make_weights((k, n))),
                m * n * k, k * n)
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
                  kernel // 2, epilogue, make_weights(weights))
    return text, macs, int(np.prod(weights))


def name_of(kind, shape):
    return f"{kind}-{'x'.join(map(str, shape))}"


def compile_all(options, shapes):
    def draw_weights(shape):
        return np.random.default_rng(1).integers(-options.most, options.most + 1, shape, np.int8)

    for kind, rows in shapes.items():
        epilogues = {"": EPILOGUE, "-low": LOW_BYTE} if kind == "gemm" else {"": EPILOGUE}
        for shape in rows:
            for suffix, epilogue in epilogues.items():
                name = name_of(kind, shape) + suffix
                source = options.output / f"{name}.mlir"
                source.write_text(layer(kind, shape, epilogue, draw_weights)[0])
                for target in options.targets:
                    subprocess.run([options.halftone, "compile", source, "--target-cpu",
                                    TARGETS[target][0], "-o",
                                    options.output / f"{name}-{target}.so"],
                                   check=True, stdout=subprocess.DEVNULL)
                source.unlink()


class Contender:
    """A session whose one contraction is timed by the profile."""

    def __init__(self, options, name):
        path = options.output / f"{name}.so"
        self.session = Session(options.runtime, path)
        self.bytes = path.stat().st_size
        feed = next(iter(self.session.inputs.values()))
        feed[...] = np.random.default_rng(2).integers(-128, 128, feed.shape)
        layers = self.session.layers()
        contraction = next(info for info in layers if info.multiplyAccumulates)
        self.kernel = contraction.kernel.decode()
        # What the kernel does before, in a loop of its own, counts.
        self.chosen = [i for i, info in enumerate(layers) if (info.name, info.kernel) == (contraction.name, contraction.kernel)]
        self.session.run()
        self.output = next(iter(self.session.outputs.values())).copy()

    def nanoseconds(self, count):
        return sum(self.session.layer_nanoseconds(count)[i] for i in self.chosen)

    def constant_bytes(self):
        return self.session.shared.halftone_module_info(
            self.session.module).contents.constantBytes


class Reader:
    """Reads `size` bytes of memory, by the loop of reading.c: huge pages, as far as there are any."""

    def __init__(self, library, size):
        self.read, self.size = library.read_nanoseconds, size
        self.read.restype = ctypes.c_double
        # Not of the heap, which gives small pages again that it has had before.
        self.mapping = mmap.mmap(-1, size + HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.mapping.madvise(mmap.MADV_HUGEPAGE)
        self.memory = np.frombuffer(self.mapping, np.uint8)
        self.memory[...] = 1
        self.address = ctypes.c_void_p(-(-self.memory.ctypes.data // HUGE_PAGE) * HUGE_PAGE)

    def nanoseconds(self, count):
        return statistics.fmean(self.read(self.address, ctypes.c_size_t(self.size // 512 * 512))
                                for _ in range(count))


def in_turns(contenders, rounds, budget=4e6, before=lambda: None, statistic=statistics.median):
    """The median of each contender's rounds of about `budget` nanoseconds; cold: of one run.

    The one before has filled the caches with its own memory, and they take some runs to keep what
    is read next: as many as are timed, or WARM_RUNS, run before the clock does."""
    counts = []
    for contender in contenders:
        contender.nanoseconds(2)
        counts.append(max(1, int(budget / contender.nanoseconds(2))) if budget else 1)
    times = [[] for _ in contenders]
    for _ in range(rounds):
        for contender, count, row in zip(contenders, counts, times):
            before()
            if budget:
                contender.nanoseconds(max(WARM_RUNS, count))
            row.append(contender.nanoseconds(count))
    return [statistic(row) for row in times]


def compile_reading(options):
    subprocess.run([options.cc, "-O2", "-march=native", "-shared", "-fPIC", HERE / "reading.c",
                    "-o", options.output / "reading.so"], check=True)


def load_reading(options):
    library = ctypes.CDLL(str(options.output.resolve() / "reading.so"))
    library.read_nanoseconds.restype = ctypes.c_double
    return library


def median_round(run):
    """The median of rounds of about 4 ms of `run(count)`, a mean in nanoseconds."""
    run(1)
    count = max(3, int(4e6 / run(1)))
    return statistics.median(run(count) for _ in range(ROUNDS))


def onnxruntime_nanoseconds(shape):
    """The same product as QLinearMatMul in onnxruntime, one thread; None without it."""
    try:
        import onnx
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        return None
    m, n, k = shape
    generator = np.random.default_rng(1)
    values = {"w": generator.integers(-127, 128, (k, n), np.int8),
              "xs": np.float32(0.02), "xz": np.uint8(3), "ws": np.full(n, 0.01, np.float32),
              "wz": np.zeros(n, np.int8), "ys": np.float32(0.5), "yz": np.uint8(128)}
    node = helper.make_node("QLinearMatMul", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"])
    graph = helper.make_graph(
        [node], "product", [helper.make_tensor_value_info("x", TensorProto.UINT8, (m, k))],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, (m, n))],
        [numpy_helper.from_array(np.asarray(v), key) for key, v in values.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), settings,
                                           providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input("x", generator.integers(0, 256, (m, k), np.uint8))
    binding.bind_output("y")

    def run(count):
        start = time.perf_counter_ns()
        for _ in range(count):
            session.run_with_iobinding(binding)
        return (time.perf_counter_ns() - start) / count

    return median_round(run)


def limit_of(kernel, peaks):
    """The operations in a second that a percentage refers to. A layer that stays on vectors where
    there are tiles is measured by what vectors can do; one with fewer products (Winograd) by all that
    it stands for."""
    if kernel.startswith(("maddubs", "winograd")):
        key, operations = "avx2_gops", AVX2_OPERATIONS
    elif kernel == "amx":
        key, operations = "amx_gops", TILE_OPERATIONS
    else:
        key, operations = "vnni_gops", DOT_OPERATIONS * peaks["dots"]
    theory = operations * peaks["ghz"]
    return peaks[key] if peaks[key] >= 0.85 * theory else theory


def time_vector(contender, weights, library):
    """A product of one row, in turns with reading as many bytes as its weights are."""
    took, reading = in_turns([contender, Reader(library, weights)], ROUNDS)
    return {"us": took / 1e3, "rate": weights / took, "unit": "GB/s", "percent": 100 * reading / took,
            "kernel": contender.kernel}


def time_one(options, kind, shape, target, peaks, library):
    _, macs, weights = layer(kind, shape)
    name = name_of(kind, shape)
    contender = Contender(options, f"{name}-{target}")
    if kind == "gemv":
        return time_vector(contender, weights, library)
    took = median_round(contender.nanoseconds)
    row = {"us": took / 1e3, "rate": 2 * macs / took, "unit": "Gop/s",
           "percent": 100 * 2 * macs / took / limit_of(contender.kernel, peaks), "kernel": contender.kernel}
    if kind == "gemm":
        low = Contender(options, f"{name}-low-{target}")
        row["epilogue_percent"] = 100 * (1 - median_round(low.nanoseconds) / took)
    return row


def time_all(options, shapes, peaks):
    results, library = [], load_reading(options)
    for kind, rows in shapes.items():
        for shape in rows:
            row = {"kind": kind, "shape": shape}
            for target in options.targets:
                row[target] = time_one(options, kind, shape, target, peaks, library)
            if kind in ("gemm", "gemv"):
                peer = onnxruntime_nanoseconds(shape)
                row["onnxruntime_us"] = peer and peer / 1e3
            results.append(row)
    return results


def cells(row, target):
    one = row[target]
    epilogue = f"{one['epilogue_percent']:.0f}" if "epilogue_percent" in one else ""
    return [f"{one['us']:.1f}", f"{one['rate']:.0f} {one['unit']}", f"{one['percent']:.1f}",
            epilogue, one["kernel"]]


def print_results(results, targets):
    for kind in dict.fromkeys(row["kind"] for row in results):
        rows = [row for row in results if row["kind"] == kind]
        header = ["shape"]
        for target in targets:
            header += [f"{target}: us", "rate", "% of the limit", "% epilogue", "kernel"]
        header.append("onnxruntime / ours")
        print(f"\n{kind}\n\n| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
        for row in rows:
            line = ["x".join(map(str, row["shape"]))]
            for target in targets:
                line += cells(row, target)
            peer = row.get("onnxruntime_us")
            line.append(f"{peer / row[targets[0]]['us']:.2f}" if peer else "")
            print("| " + " | ".join(line) + " |")
        print()
        for target in targets:
            values = [row[target]["percent"] for row in rows]
            mean = math.exp(statistics.fmean(map(math.log, values)))
            below = " (a shape is below half the mean)" if min(values) < mean / 2 else ""
            print(f"{target}: geometric mean {mean:.1f} %, least {min(values):.1f} %{below}")


def make_parser(documentation, targets=TARGETS):
    """The options of every kernel benchmark; the sources in C are compiled first, then timed in a child."""
    parser = argparse.ArgumentParser(description=documentation.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    if targets:
        parser.add_argument("--targets", nargs="+", choices=targets, default=[name for name in own_targets() if name in targets],
                            help="default: amx and vnni, as far as this CPU has them, else avx2")
    parser.add_argument("--cc", default="clang-22", help="the C compiler for what is measured against")
    parser.add_argument("--launcher", default="", help="words before the command of a timed run")
    parser.add_argument("--time", action="store_true", help=argparse.SUPPRESS)
    return parser


def own_targets():
    """Targets with dots of bytes that this CPU runs, the best first; AVX2 where it has none."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return [name for name, flag in (("amx", "amx_int8"), ("vnni", "avx512_vnni")) if flag in flags] or ["avx2"]


def parse(parser):
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    options.halftone = options.halftone.resolve()
    options.runtime = options.halftone.parent.parent / "lib" / "libhalftone_runtime.so"
    return options


def time_in_child(options, script):
    """The same command with --time, behind the words of --launcher."""
    subprocess.run([*shlex.split(options.launcher), sys.executable, script, *sys.argv[1:], "--time"], check=True)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--kinds", nargs="+", help="of shapes.json; default: all")
    parser.add_argument("--most", type=int, default=127, help="the largest weight: 63 and 31 are 7 and 6 bits")
    options = parse(parser)
    shapes = json.loads((HERE / "shapes.json").read_text())
    shapes = {kind: shapes[kind] for kind in options.kinds or shapes}
    peaks_program = options.output.resolve() / "peaks"
    if options.time:  # in the timed child
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        peaks = json.loads(subprocess.run([peaks_program], check=True, text=True,
                                          stdout=subprocess.PIPE).stdout)
        results = time_all(options, shapes, peaks)
        (options.output / "kernels.json").write_text(
            json.dumps({"peaks": peaks, "kernels": results}, indent=2) + "\n")
        print("limits:", json.dumps(peaks))
        print_results(results, options.targets)
        return
    subprocess.run([options.cc, "-O2", "-march=native", "-pthread", "-I", HERE.parent.parent / "include",
                    HERE / "peaks.c", "-o", peaks_program], check=True)
    compile_reading(options)
    compile_all(options, shapes)
    time_in_child(options, __file__)


if __name__ == "__main__":
    main()
