#!/usr/bin/env python3
"""Damaged files of every kind that a command reads: an error is one message with status 1, never a crash, a hang or a gigabyte.

    python benchmark/fuzz_files.py --halftone build/bin/halftone -o build/fuzz-files [--count 200] [--kinds onnx npz ...]

FILES is the table: what makes a good file of a kind, and what reads it. Each is cut, and has bytes flipped, zeroed, doubled, removed, and
replaced by extreme numbers; of text, also whole numbers and lines. A file that is still read is a success, whatever it says now; of libraries
only the first header is damaged: nobody can tell damaged code from code, and the loader of the system trusts the other tables.
"""

import argparse
import collections
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

import numpy as np

import fuzz_graphs

LIMIT, MEMORY = 40, 6 << 30

BUILD = "build {d}/model.onnx --data {d}/data.npz "
SELECT = "build {d}/model.onnx --data {d}/many.npz --max-bytes 60% --metric=sqnr --measurements="
ROUND = "quantize {d}/model.onnx --stats {d}/model.stats --rounding=gptq "
# kind: (file, commands that make it, command that reads it); {d} is the folder, {f} the damaged file, {o} what is written
FILES = {
    "onnx": ("model.onnx", (), "build {f} --data {d}/data.npz -o {o}.so"),
    "onnx-old": ("recurrent.onnx", (), "check {f}"),
    "qdq": ("qdq.onnx", (BUILD + "--stop-after=quantization -o {d}/for-export.mlirbc", "export {d}/for-export.mlirbc -o {d}/qdq.onnx"), "check {f}"),
    "npz": ("data.npz", (), "calibrate {d}/model.onnx --data {f} -o {o}.stats"),
    "compressed": ("packed.npz", (), "calibrate {d}/model.onnx --data {f} -o {o}.stats"),
    "import": ("import.mlirbc", ("import {d}/model.onnx -o {d}/import.mlirbc",), "build {f} --float -o {o}.so"),
    "import-text": ("import.mlir", ("import {d}/model.onnx -o {d}/import.mlir",), "build {f} --data {d}/data.npz -o {o}.so"),
    "stats": ("model.stats", ("calibrate {d}/model.onnx --data {d}/data.npz -o {d}/model.stats",), "quantize {d}/model.onnx --stats {f} -o {o}.mlirbc"),
    "calibration": ("calibration.mlir", (BUILD + "--stop-after=calibration -o {d}/calibration.mlir",), "compile {f} -o {o}.so"),
    "precision": ("precision.mlir", (BUILD + "--stop-after=precision -o {d}/precision.mlir",), "compile {f} -o {o}.so"),
    "quantization": ("quantization.mlir", (BUILD + "--stop-after=quantization -o {d}/quantization.mlir",), "compile {f} -o {o}.so"),
    "quantization-bytes": ("quantization.mlirbc", (BUILD + "--stop-after=quantization -o {d}/quantization.mlirbc",), "export {f} -o {o}.onnx"),
    "integer": ("integer.mlir", (BUILD + "--stop-after=integer -o {d}/integer.mlir",), "compile {f} -o {o}.so"),
    "integer-bytes": ("integer.mlirbc", (BUILD + "--stop-after=integer -o {d}/integer.mlirbc",), "compile {f} -o {o}.so"),
    "recipe": ("recipe.yaml", (), "quantize {d}/model.onnx --stats {d}/model.stats --recipe {f} -o {o}.mlirbc"),
    "hessians": ("hessians", (ROUND + "--data {d}/data.npz --hessians {d}/hessians -o {d}/gptq.mlirbc",), ROUND + "--hessians {f} -o {o}.mlirbc"),
    "costs": ("costs.json", (), "build {d}/model.onnx --float --target-cpu=avx2 --cost {f} -o {o}.so"),
    "measurements": ("measurements", (SELECT + "{d}/measurements -o {d}/chosen.so",), SELECT + "{f} -o {o}.so"),
    "library": ("model.so", ("build {d}/model.onnx --data {d}/data.npz -o {d}/model.so",), "info {f}"),
    "library-run": ("model.so", ("build {d}/model.onnx --data {d}/data.npz -o {d}/model.so",), "run {f} --input {d}/data.npz -o {o}.npz"),
}
TEXTS = ("import-text", "calibration", "precision", "quantization", "integer", "recipe", "costs")
RECIPE = """- {kind: contraction, weights: int4, granularity: group:32}
- {regex: 'Conv.*', weights: codebook4}
- {name: Gemm_3, levels: [-7, -3, 0, 2, 7], precision: int8, estimator: minmax}
"""
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff" * 9 + b"\1", b"\0\0\xc0\x7f", b"\x80\x80\x80\x80\x80\x80\x80\x80\x7f")
NUMBERS = ("0", "-1", "1", "2147483648", "9223372036854775807", "-9223372036854775808", "1e308", "0x7FC00000", "4294967297", "99999999999999999999", "", "0.5")


def make_files(options):
    """The sources: a network of convolutions and products, one with recurrent operators, samples."""
    g = fuzz_graphs.Graph(1, quantized=False)
    g.opset, g.batched = 17, False
    x = g.input("f32", (1, 3, 9, 9))
    h = g.add("Conv", [x, g.weights(8, 3, 3, 3), g.data((8,))], "f32", (1, 8, 9, 9), pads=[1, 1, 1, 1])
    h = g.add("Relu", [h], "f32", h.shape)
    h = g.add("MaxPool", [h], "f32", (1, 8, 4, 4), kernel_shape=[2, 2], strides=[2, 2])
    h = g.add("Reshape", [h, g.integers([1, 128])], "f32", (1, 128))
    h = g.add("Gemm", [h, g.weights(33, 128), g.data((33,))], "f32", (1, 33), transB=1)
    h = g.add("Gemm", [g.add("Sigmoid", [h], "f32", h.shape), g.weights(10, 33)], "f32", (1, 10), transB=1)
    g.add("Softmax", [h], "f32", (1, 10), axis=1)
    g.finish()
    g.outputs = g.outputs[-1:]
    (options.folder / "model.onnx").write_bytes(g.serialize())
    np.savez(options.folder / "data.npz", **g.samples(1, 8))
    np.savez(options.folder / "many.npz", **g.samples(1, 30))
    np.savez_compressed(options.folder / "packed.npz", **g.samples(1, 8))
    g = fuzz_graphs.Graph(2, quantized=False)
    g.opset, g.batched = 13, False
    x = g.input("f32", (4, 1, 5))
    y = g.add("LSTM", [x, g.weights(1, 32, 5), g.weights(1, 32, 8)], "f32", (4, 1, 1, 8), hidden_size=8)
    y = g.add("Pad", [y, g.integers([0, 0, 1, 1, 0, 0, 1, 1])], "f32", (4, 1, 3, 10))
    y = g.add("Resize", [y, None, g.constant([1, 1, 2, 2])], "f32", (4, 1, 6, 20), mode="nearest")
    y = g.add("Slice", [y, g.integers([1]), g.integers([2**31]), g.integers([3]), g.integers([2])], "f32", (4, 1, 6, 10))
    y = g.add("Split", [y, g.integers([4, 6])], "f32", [(4, 1, 6, 4), (4, 1, 6, 6)], axis=3)
    g.add("Einsum", [y[0], y[0]], "f32", (4, 6, 6), equation="abij,abkj->aik")
    g.finish()
    (options.folder / "recurrent.onnx").write_bytes(g.serialize())
    (options.folder / "recipe.yaml").write_text(RECIPE)
    (options.folder / "costs.json").write_bytes((pathlib.Path(__file__).resolve().parents[1] / "lib/Codegen/CostTables/x86-64-v3.json").read_bytes())


def damage(data, random, limit):
    """The bytes with one to three damages before `limit`."""
    data = bytearray(data)
    limit = min(limit, len(data))
    for _ in range(int(random.integers(1, 4))):
        at, size = int(random.integers(max(limit, 1))), int(random.choice((1, 2, 4, 16, 200)))
        form = int(random.integers(7))
        if form == 0 and len(data) > 1:
            del data[at:]
        elif form == 1 and at < len(data):
            data[at] ^= 1 << int(random.integers(8))
        elif form == 2:
            data[at:at + size] = bytes(min(size, len(data) - at))
        elif form == 3:
            data[at:at] = data[at:at + size]
        elif form == 4:
            del data[at:at + size]
        elif form == 5:
            extreme = EXTREMES[int(random.integers(len(EXTREMES)))]
            data[at:at + len(extreme)] = extreme
        else:
            data[at:at + size] = random.bytes(min(size, max(len(data) - at, 0)))
        limit = min(limit, len(data))
    return bytes(data)


def damage_text(data, random):
    """With another number, a line less or twice, or two words exchanged."""
    text = data.decode(errors="surrogateescape")
    form = int(random.integers(4))
    if form == 0:
        lines = text.splitlines(keepends=True)
        at = int(random.integers(len(lines)))
        lines[at:at + 1] = [] if random.random() < 0.5 else [lines[at]] * 2
        return "".join(lines).encode(errors="surrogateescape")
    pattern = r"-?\d+(\.\d+)?([eE][-+]?\d+)?" if form < 3 else r"[A-Za-z_.!#]+"
    words = list(re.finditer(pattern, text))
    # Weights are most of a text, and one of them is like another.
    words = [w for w in words if w.end() - w.start() < 40] or words
    word = words[int(random.integers(len(words)))]
    new = NUMBERS[int(random.integers(len(NUMBERS)))] if form < 3 else words[int(random.integers(len(words)))].group()
    return (text[:word.start()] + new + text[word.end():]).encode(errors="surrogateescape")


def run(options, words):
    def set_limits():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))
    return subprocess.run([options.halftone, *words], capture_output=True, text=True, errors="replace", preexec_fn=set_limits)


def verdict(done):
    """ok, or what is wrong about it."""
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "hang"
    if done.returncode == 0:
        return "ok"
    errors = [line for line in done.stderr.splitlines() if re.match(r"(\S+: )?error: ", line)]
    if done.returncode != 1 or "Stack dump" in done.stderr or "LLVM ERROR" in done.stderr:
        return f"crash, status {done.returncode}"
    return "refused" if len(errors) == 1 else f"{len(errors)} messages"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", default="build/bin/halftone")
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="damaged files of each kind")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--kinds", nargs="+", choices=FILES, default=list(FILES))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    make_files(options)
    failed, start, made = 0, time.monotonic(), set()
    for kind, (name, makers, reader) in FILES.items():
        if kind not in options.kinds and not any(f"{{d}}/{name}" in FILES[k][2] for k in options.kinds):
            continue
        for maker in makers:
            if maker not in made:
                done = run(options, maker.format(d=options.folder).split())
                assert done.returncode == 0, f"{maker}: {done.stderr}"
            made.add(maker)
        if kind not in options.kinds:
            continue
        good, counts = (options.folder / name).read_bytes(), collections.Counter()
        path = options.folder / ("damaged-" + kind + pathlib.Path(name).suffix)
        for seed in range(options.first, options.first + options.count):
            random = np.random.default_rng((seed, list(FILES).index(kind)))
            limit = 64 if kind.startswith("library") else len(good)
            bad = damage_text(good, random) if kind in TEXTS and random.random() < 0.7 else damage(good, random, limit)
            path.write_bytes(bad)
            done = run(options, reader.format(d=options.folder, f=path, o=options.folder / "written").split())
            result = verdict(done)
            counts[result.split(",")[0]] += 1
            if result not in ("ok", "refused"):
                failed += 1
                keep = options.folder / f"{kind}-{seed}{path.suffix}"
                keep.write_bytes(bad)
                print(f"{keep}: {result}: {reader.format(d=options.folder, f=keep, o=options.folder / 'written')}\n{done.stderr[-700:]}", flush=True)
        print(f"{kind}: {', '.join(f'{n} {what}' for what, n in counts.items())}", flush=True)
    print(f"{failed} failures in {time.monotonic() - start:.0f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
