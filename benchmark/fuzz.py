#!/usr/bin/env python3
"""Random graphs (fuzz_graphs.py) through the whole compiler, compared with onnxruntime and from target to target.

    python benchmark/fuzz.py --halftone build/bin/halftone -o build/fuzz --seeds 0:1000 [--reduce]

Of each seed's graph: floats of every target are near onnxruntime's without optimizations, where that is installed; the integer stage has the same bits on
every target; a sample's bits do not depend on its neighbours in a batch; quantized outputs are near the float ones; a refusal is one message. The quantized
form is made with the defaults and with one of VARIANTS. What deviates under a jitter of the inputs of the size of f32's rounding (behind a comparison, a
division by almost nothing) may deviate. With --quantized the graph is what onnxruntime's quantizers make of it, statically (QDQ, QOperator) or dynamically, by a
draw of their settings; it is built without samples, and what differs is single codes. Failures are kept in the folder, one line each in fuzz.jsonl; --reduce makes their graphs as small as still fail so.
"""

import argparse
import collections
import copy
import json
import os
import pathlib
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np

import fuzz_graphs

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test/Target/Inputs"))
import artefact  # noqa: E402

TARGETS = ("reference", "native", "avx2")
BATCH, SAMPLES, LIMIT = 5, 16, 60
JITTER, DRAWS, SLACK, RELATIVE = 2.0 ** -21, 6, 40, 3e-5
LOW_DB = 10
CODES_DB = 25  # of what onnxruntime has quantized: some codes lie half-way
HARMLESS = ("ok", "low", "refused", "evaluator refuses", "peer refuses")
# Ways to quantize, beside the default.
VARIANTS = (
    ("--weights=int4", "--granularity=group:32"), ("--weights=codebook4",), ("--weights=log4",), ("--weights=int4", "--weight-storage=packed"),
    ("--weights=nf4", "--granularity=group:16"), ("--weights=codebook6", "--weight-storage=packed"),
    ("--weights=codebook3", "--granularity=group:8", "--weight-storage=packed"), ("--activations=dynamic",), ("--activations=float",),
    ("--estimator=minmax", "--rounding=nearest"), ("--estimator=auto",), ("--equalize",), ("--smooth=0.5",), ("--rounding=gptq",),
    ("--rounding=adaround", "--sequential"), ("--rounding=gptq", "--sparsity=0.5"), ("--weights=int2", "--granularity=group:64"), ("--granularity=tensor",),
)
AT_COMPILATION = ("--weight-storage",)
DTYPES = {1: np.float32, 2: np.int8, 3: np.uint8, 4: np.int32, 5: np.int64, 6: np.bool_}


class Failure(Exception):
    """`kind` is a word for the table, the text what happened."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def targets_of(options, seed):
    """All targets of every third seed, else the first and another: most of the time goes into compiling."""
    return options.targets if seed % 3 == 0 or len(options.targets) < 3 else [options.targets[0], options.targets[seed % 3]]


def limit_processor():
    """Seconds of the processor: other work on the machine is no hang."""
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))


def halftone(options, *words):
    """Runs a command. One message is a refusal; anything else that is no success is a failure of its own kind."""
    words = [str(word) for word in (options.halftone, *words)]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", preexec_fn=limit_processor)
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise Failure("hang", " ".join(words))
    if done.returncode == 0:
        return done.stdout
    messages = [line for line in done.stderr.splitlines() if re.match(r"(\S+: )?error: ", line)]
    if re.search(r"'[a-z]+\.[a-z_]+' op ", done.stderr):
        raise Failure("verifier", done.stderr[-900:])
    if done.returncode == 1 and len(messages) == 1 and "Stack dump" not in done.stderr and "LLVM ERROR" not in done.stderr:
        raise Failure("refused", done.stderr[done.stderr.index("error: "):].strip())
    kind = "crash" if done.returncode not in (0, 1) else "message"
    raise Failure(kind, f"{' '.join(words)}: exit {done.returncode}: {done.stderr[-1500:]}")


def call(path, feeds, batch, chunk=0):
    """The outputs of a compiled model, by name; with a chunk, parallel loops run backwards in ranges of that size."""
    model = artefact.load(str(path))
    inputs, outputs = [], {}
    for tensor in model.inputs[:model.numInputs]:
        array = np.ascontiguousarray(feeds[tensor.name.decode()])
        expected = artefact.shape(tensor, batch)
        assert list(array.shape) == expected, f"input {tensor.name.decode()} has the shape {expected}"
        inputs.append(artefact.guarded(artefact.TYPES[tensor.type], max(array.size, 1)))
        artefact.c.memmove(inputs[-1], array.ctypes.data, array.nbytes)
    for tensor in model.outputs[:model.numOutputs]:
        outputs[tensor.name.decode()] = artefact.guarded(artefact.TYPES[tensor.type], max(artefact.count(tensor, batch), 1))
    workspace = np.full(model.workspaceBytes + 64, 0xA5, np.uint8)
    pointers = lambda arrays: (artefact.c.c_void_p * max(len(arrays), 1))(*[artefact.c.addressof(a) for a in arrays])  # noqa: E731

    def parallel_for(_, body, context, total):
        for begin in reversed(range(0, total, chunk)):
            body(context, begin, min(begin + chunk, total))
    loop = artefact.PARALLEL_FOR(parallel_for) if chunk else artefact.PARALLEL_FOR()
    status = model.run(pointers(inputs), pointers(list(outputs.values())), batch, workspace.ctypes.data + -workspace.ctypes.data % 64, loop, None)
    assert status == 0, f"run returned {status}"
    return {t.name.decode(): np.frombuffer(bytes(outputs[t.name.decode()]), DTYPES[t.type]).reshape(artefact.shape(t, batch))
            for t in model.outputs[:model.numOutputs]}


def apart(action):
    """The result of the action in a process of its own, which may crash or compute without end."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        limit_processor()
        try:
            result = (action(), None)
        except BaseException as error:  # noqa: BLE001
            result = (None, f"{type(error).__name__}: {error}")
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(result, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) or not data:
        number = os.WTERMSIG(status)
        raise Failure("hang" if number in (signal.SIGXCPU, signal.SIGKILL) else "run crash", f"the compiled model ended by signal {number}")
    result, error = pickle.loads(data)
    if error:
        raise Failure("run", error)
    return result


class Peer:
    """onnxruntime without graph optimizations, which is the definition as near as there is one."""

    def __init__(self, path):
        import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        settings.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        self.names = [v.name for v in self.session.get_outputs()]

    def run(self, feeds):
        return dict(zip(self.names, self.session.run(None, feeds)))


def optimize(path):
    """The model as onnxruntime's optimizations write it, but for those that are for one machine."""
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    settings.optimized_model_filepath = str(path)
    settings.log_severity_level = 4
    onnxruntime.InferenceSession(path.read_bytes(), settings, providers=["CPUExecutionProvider"])


def quantize_by_peer(path, feeds, seed):
    """The model as one of onnxruntime's quantizers writes it, calibrated by the feeds."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.feeds = iter(feeds)

        def get_next(self):
            return next(self.feeds, None)

    random = np.random.default_rng(seed)
    draw = lambda *choices: choices[random.integers(len(choices))]  # noqa: E731
    source = path.with_name("float.onnx")
    path.rename(source)
    weights = {"weight_type": draw(QuantType.QInt8, QuantType.QUInt8), "per_channel": draw(False, True)}
    form = draw("dynamic", QuantFormat.QDQ, QuantFormat.QOperator)
    if form == "dynamic":
        quantize_dynamic(str(source), str(path), **weights)
        return
    alike = form == QuantFormat.QDQ and weights["weight_type"] == QuantType.QInt8  # which is all that signed activations go with
    activations = draw(QuantType.QInt8, QuantType.QUInt8) if alike else QuantType.QUInt8
    symmetric = {"ActivationSymmetric": draw(False, True), "WeightSymmetric": draw(False, True)} if form == QuantFormat.QDQ else {}
    quantize_static(str(source), str(path), Reader(), quant_format=form, activation_type=activations, extra_options=symmetric, **weights)


def compare_codes(expected, actual, log):
    """What a model in codes gives: alike but for single codes, so that integers that come from them are not looked at."""
    for name, want in expected.items():
        got = actual[name]
        if got.shape != want.shape or got.dtype != want.dtype:
            raise Failure("type", f"{name}: {want.dtype}{list(want.shape)} is {got.dtype}{list(got.shape)}")
        if want.dtype == np.float32:
            log.setdefault("decibels", {}).setdefault("quantized", {})[name] = round(decibels(want, got), 1)
            if decibels(want, got) < CODES_DB:
                raise Failure("codes", f"{name}: {decibels(want, got):.1f} dB")


def jittered(feeds, random):
    return {name: (a * (1 + random.normal(size=a.shape) * JITTER)).astype(a.dtype) if a.dtype == np.float32 else a for name, a in feeds.items()}


def decibels(expected, actual):
    expected, actual = expected.astype(np.float64), actual.astype(np.float64)
    finite = np.isfinite(expected) & np.isfinite(actual)
    noise = np.sum((expected[finite] - actual[finite]) ** 2)
    return float(10 * np.log10(max(np.sum(expected[finite] ** 2), 1e-300) / noise)) if noise else 999.0


def compare_floats(expected, actual, others):
    """What differs by more than the jitter explains, of each output."""
    for name, want in expected.items():
        got = actual.get(name)
        if got is None or got.shape != want.shape or got.dtype != want.dtype:
            raise Failure("type", f"{name}: {want.dtype}{list(want.shape)} is {got is not None and (str(got.dtype), got.shape)}")
        a, b = want.astype(np.float64), got.astype(np.float64)
        draws = np.stack([o[name].astype(np.float64) for o in others])
        unstable = ~np.isfinite(draws).all(0) & np.isfinite(draws).any(0)
        with np.errstate(invalid="ignore"):
            spread = np.abs(draws - a).max(0)
            scale = np.max(np.abs(a[np.isfinite(a)]), initial=0)
            wrong = ~((a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= RELATIVE * scale * (want.dtype == np.float32) + SLACK * spread + 1e-30))
        wrong &= ~unstable
        if want.dtype != np.float32:
            wrong &= ~(spread > 0)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.ndim else ()
            raise Failure("float", f"{name}: {int(wrong.sum())} of {wrong.size} elements, at {list(at)} {a[at]} is {b[at]}; {decibels(a, b):.1f} dB")


def compare_bits(first, second, what):
    for name, want in first.items():
        if want.tobytes() != second[name].tobytes():
            differ = want.view(np.uint8).reshape(-1) != second[name].view(np.uint8).reshape(-1)
            both_nan = want.dtype == np.float32 and np.array_equal(want, second[name], equal_nan=True)
            text = f"{what}: {name}: {int(differ.sum())} of {differ.size} bytes; {decibels(want, second[name]):.1f} dB"
            raise Failure("bits of NaN" if both_nan else "bits", text)


def build_all(options, folder, kind, dims, quantization, targets):
    """A library for each target from one stage file."""
    stage = folder / f"{kind}.mlirbc"
    libraries = {target: folder / f"{kind}-{target}.so" for target in targets}
    for path in [stage, *libraries.values()]:
        path.unlink(missing_ok=True)
    late = [word for word in quantization if str(word).startswith(AT_COMPILATION)]
    early = [word for word in quantization if word not in late]
    last = "integer" if "--float" not in early else "import"
    halftone(options, "build", folder / "model.onnx", *dims, *early, f"--stop-after={last}", "-o", stage)
    for target, path in libraries.items():
        halftone(options, "compile", stage, f"--target-cpu={target}", *late, "-o", path)
    return libraries


def check_graph(options, graph, folder, variant, log):
    """Raises the first failure. `log` gets what is measured on the way."""
    (folder / "model.onnx").write_bytes(graph.serialize())
    batch = BATCH if graph.batched else 1
    samples = graph.samples(1, SAMPLES)
    np.savez(folder / "calibration.npz", **samples)
    drawn = {name: array[:batch] for name, array in samples.items()}  # what calibration has not seen may saturate
    feeds = drawn if graph.batched else {name: a[0] for name, a in drawn.items()}
    np.savez(folder / "evaluation.npz", **{name: array[:2] for name, array in samples.items()})
    dims = [f"--dim=batch=1..{BATCH}"] if graph.batched else []

    if options.quantized and not graph.quantized:
        check_quantized(options, graph, folder, samples, feeds, dims, log)
        return
    expected = others = None
    if options.peer:
        try:
            peer = Peer(folder / "model.onnx")
            expected = peer.run(feeds)
        except Exception as error:  # noqa: BLE001
            raise Failure("peer refuses", str(error)[:400]) from None
        random = np.random.default_rng(3)
        others = [peer.run(jittered(feeds, random)) for _ in range(DRAWS)]
    if options.optimized:
        optimize(folder / "model.onnx")

    targets = options.chosen if graph.seed % 4 == 0 or not options.peer else options.chosen[1:]
    floats = build_all(options, folder, "float", dims, [] if graph.quantized else ["--float"], targets)
    outputs = {target: apart(lambda path=path: call(path, feeds, batch)) for target, path in floats.items()}
    if expected:
        for target, actual in outputs.items():
            compare_floats(expected, actual, others)
        if not graph.quantized:
            check_export(options, graph, folder, expected, feeds, others, log)
    check_targets(outputs, "float ")
    check_neighbours(graph, floats, feeds, outputs, "float ")
    check_chunks(floats, feeds, batch, outputs, "float ")
    if graph.quantized or not options.quantize:
        return

    for words in [(), *([variant] if variant is not None else [])]:
        label = " ".join(words) or "int8"
        log["step"] = label
        data = [] if "dynamic" in label or "=float" in label else ["--data", folder / "calibration.npz"]
        try:
            libraries = build_all(options, folder, "int8", dims, [*data, *words], options.chosen if graph.seed % 4 == 1 else options.chosen[1:])
        except Failure as failure:
            if failure.kind == "refused" and words:
                log.setdefault("refused", {})[label] = str(failure)[:300]
                continue
            raise
        quantized = {target: apart(lambda path=path: call(path, feeds, batch)) for target, path in libraries.items()}
        check_targets(quantized, label + " ")
        check_evaluator(options, folder / "int8.mlirbc", libraries[options.chosen[-1]], folder / "evaluation.npz", label)
        check_neighbours(graph, libraries, feeds, quantized, label + " ")
        check_chunks(libraries, feeds, batch, quantized, label + " ")
        reference = next(iter(outputs.values()))
        made = next(iter(quantized.values()))
        ratios = {name: decibels(a, made[name]) for name, a in reference.items() if a.dtype == np.float32}
        log.setdefault("decibels", {})[label] = {name: round(x, 1) for name, x in ratios.items()}
        nan = [n for n, a in reference.items() if a.dtype == np.float32 and np.isfinite(a).all() and not np.isfinite(made[n]).all()]
        if nan:
            raise Failure("not finite", f"{label}: {', '.join(nan)}")


def check_quantized(options, graph, folder, samples, feeds, dims, log):
    """The graph as onnxruntime quantizes it."""
    path, count = folder / "model.onnx", len(next(iter(samples.values()), []))
    try:
        quantize_by_peer(path, [{n: a[i:i + 1] if graph.batched else a[i] for n, a in samples.items()} for i in range(count)], graph.seed)
        expected = Peer(path).run(feeds)
    except Exception as error:  # noqa: BLE001
        raise Failure("peer refuses", str(error)[:400]) from None
    outputs = {}
    for target in options.chosen:
        library = folder / f"{target}.so"
        halftone(options, "build", path, *dims, *([] if holds_codes(path) else ["--float"]), f"--target-cpu={target}", "-o", library)
        outputs[target] = apart(lambda: call(library, feeds, BATCH if graph.batched else 1))
    compare_codes(expected, outputs[options.chosen[0]], log)
    check_targets(outputs, "quantized ")


def holds_codes(path):
    """Whether the quantizer found something in the model."""
    import onnx
    return any("Quantize" in node.op_type or "Integer" in node.op_type for node in onnx.load(str(path)).graph.node)


def check_evaluator(options, stage, library, data, what):
    """The evaluator shares nothing with code generation, so it notices what all targets do wrong alike."""
    try:
        halftone(options, "compare", stage, library, "--data", data, "--evaluator", "--exact")
    except Failure as failure:
        kind = "evaluator" if re.search("differ$", str(failure)) else "evaluator refuses" if failure.kind == "refused" else failure.kind
        raise Failure(kind, f"{what}: {failure}") from None


def check_export(options, graph, folder, expected, feeds, others, log):
    """What is exported means the same to onnxruntime."""
    exported = folder / "exported.onnx"
    try:
        halftone(options, "export", folder / "float.mlirbc", "-o", exported)
    except Failure as failure:
        if failure.kind != "refused":
            raise
        log["not exported"] = str(failure)[:300]
        return
    try:
        actual = Peer(exported).run(feeds)
    except Exception as error:  # noqa: BLE001
        raise Failure("export", f"onnxruntime: {str(error)[:400]}") from None
    try:
        compare_floats(expected, actual, others)
    except Failure as failure:
        raise Failure("export", str(failure)) from None


def check_targets(outputs, what):
    targets = list(outputs)
    for target in targets[1:]:
        compare_bits(outputs[targets[0]], outputs[target], f"{what}{targets[0]} and {target}")


def check_chunks(libraries, feeds, batch, outputs, what):
    """Parallel loops in another order and in other parts."""
    for target, path in libraries.items():
        for chunk in (1, 3):
            compare_bits(outputs[target], apart(lambda: call(path, feeds, batch, chunk)), f"{what}{target}, loops in parts of {chunk}")


def check_neighbours(graph, libraries, feeds, outputs, what):
    """Each sample alone, and all in another order."""
    if not graph.batched or not graph.inputs:
        return
    for target, path in libraries.items():
        if target == "reference":
            continue
        kinds = {v.name: v.batched for v in graph.values}
        together = {n: a for n, a in outputs[target].items() if kinds[n]}
        for i in (0, BATCH - 1):
            alone = apart(lambda: call(path, {n: a[i:i + 1] for n, a in feeds.items()}, 1))
            compare_bits({n: a[i:i + 1] for n, a in together.items()}, alone, f"{what}{target}, sample {i} alone")
        turned = apart(lambda: call(path, {n: a[::-1] for n, a in feeds.items()}, BATCH))
        compare_bits({n: np.ascontiguousarray(a[::-1]) for n, a in together.items()}, turned, f"{what}{target}, backwards")


def attempt(options, graph, folder, variant):
    """A row of the record."""
    row = {}
    try:
        check_graph(options, graph, folder, variant, row)
        low = [f"{label} {name}" for label, ratios in row.get("decibels", {}).items() for name, x in ratios.items() if x < LOW_DB and label in ("int8",)]
        row["result"], row["text"] = ("low", ", ".join(low)) if low else ("ok", "")
    except Failure as failure:
        row["result"], row["text"] = failure.kind, str(failure)
    return row


def smaller(graph):
    """Graphs with less: an output fewer, or a value that is an input now."""
    for name in graph.outputs:
        if len(graph.outputs) > 1:
            yield [n for n in graph.outputs if n != name], None
    for operator, inputs, outputs, attributes in reversed(graph.nodes):
        for name in outputs:
            yield [n for n in graph.outputs if n != name], name
    for operator, inputs, outputs, attributes in graph.nodes:
        for name in inputs:
            if name not in graph.constants and name not in {v.name for v in graph.inputs} and name != "-":
                yield [name], None


def cut(graph, outputs, opened):
    """The graph of these outputs, where the value `opened` is an input."""
    result = copy.copy(graph)
    kinds = {v.name: v for v in graph.values}
    needed, nodes, inputs = set(outputs), [], list(graph.inputs)
    if opened:
        inputs.append(kinds[opened])
        result.scales = {**graph.scales, opened: (1.0, 0.0)}
    closed = {v.name for v in inputs}
    for node in reversed(graph.nodes):
        made = set(node[2]) - closed
        if made & needed:
            nodes.insert(0, node)
            needed |= set(node[1])
    result.nodes, result.outputs = nodes, outputs
    result.inputs = [v for v in inputs if v.name in needed]
    result.constants = {n: a for n, a in graph.constants.items() if n in needed}
    made = {n for node in nodes for n in node[2]}
    return result if nodes and all(n in made for n in outputs) and outputs and result.inputs else None


def reduce_graph(options, graph, folder, variant, kind):
    again = True
    while again:
        again = False
        for outputs, opened in smaller(graph):
            less = cut(graph, outputs, opened)
            is_less = less and (len(less.nodes), len(less.outputs)) < (len(graph.nodes), len(graph.outputs))
            if is_less and attempt(options, less, folder, variant)["result"] == kind:
                graph, again = less, True
                break
    return graph


def describe(graph):
    kinds = {v.name: v for v in graph.values}

    def show(name):
        if name in kinds:
            return f"{name}:{kinds[name].kind}{list(kinds[name].shape)}"
        return f"{name}={graph.constants[name].dtype}{list(graph.constants[name].shape)}" if name in graph.constants else name
    lines = [f"opset {graph.opset}{', batched' if graph.batched else ''}"]
    for operator, inputs, outputs, attributes in graph.nodes:
        small = {n: graph.constants[n].tolist() for n in inputs if n in graph.constants and graph.constants[n].size <= 6}
        lines.append(f"  {', '.join(map(show, outputs))} = {operator}({', '.join(map(show, inputs))}) {attributes} {small or ''}")
    return "\n".join(lines + [f"  outputs {graph.outputs}"])


def seeds_of(text):
    first, _, last = text.partition(":")
    return range(int(first), int(last)) if last else [int(first)]


def pattern_of(text):
    """A message without what is particular to it, to count alike ones."""
    text = re.sub(r"(/\S+)+|'[^']*'|\b\w+_\d+\b|v\d+", "*", text)
    return re.sub(r"-?\d+(\.\d+)?", "N", text)[:170]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", default="build/bin/halftone")
    parser.add_argument("-o", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=seeds_of, nargs="+", default=[range(100)], help="numbers, or FIRST:END")
    parser.add_argument("--targets", nargs="+", default=TARGETS)
    parser.add_argument("--nodes", type=int, help="about so many in each graph (default: 3 to 15)")
    parser.add_argument("--optimized", action="store_true", help="compile the graphs as onnxruntime's optimizations write them")
    parser.add_argument("--quantized", action="store_true", help="compile the graphs as onnxruntime's quantizers write them")
    parser.add_argument("--opset", type=int, help="of all graphs (default: 11 to 21)")
    parser.add_argument("--float", dest="quantize", action="store_false", help="compile in floats only")
    parser.add_argument("--reduce", action="store_true", help="make the graphs of failures smaller")
    parser.add_argument("--no-peer", dest="peer", action="store_false", help="do not compare with onnxruntime")
    parser.add_argument("--no-variants", dest="variants", action="store_false", help="quantize with the defaults only")
    parser.add_argument("--show", action="store_true", help="print the graphs, and run nothing")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    counts, texts, start = collections.Counter(), collections.Counter(), time.monotonic()
    with open(options.folder / "fuzz.jsonl", "a") as record:
        for seed in (seed for span in options.seeds for seed in span):
            graph = fuzz_graphs.make_graph(seed, options.nodes, options.opset)
            if options.show:
                print(f"seed {seed}: {describe(graph)}")
                continue
            if not graph.nodes or not graph.inputs:
                continue
            folder = options.folder / f"{seed}"
            folder.mkdir(exist_ok=True)
            variant = VARIANTS[seed // 3 % len(VARIANTS)] if options.variants and seed % 3 == 1 else None
            options.chosen = targets_of(options, seed)
            row = {"seed": seed, **attempt(options, graph, folder, variant)}
            counts[row["result"]] += 1
            if row["result"] not in HARMLESS and options.reduce:
                less = reduce_graph(options, graph, folder, variant, row["result"])
                row["reduced"], row["reduced_text"] = describe(less), attempt(options, less, folder, variant)["text"]
            record.write(json.dumps(row) + "\n")
            record.flush()
            if row["result"] == "ok":
                shutil.rmtree(folder)
            else:
                texts[f"{row['result']}: {pattern_of(row['text'])}"] += 1
                print(f"seed {seed}: {row['result']} [{row.get('step', 'float')}]: {row['text'][:500]}\n{row.get('reduced', '')}", flush=True)
    if options.show:
        return 0
    print("\n".join(f"{n:5} {text}" for text, n in texts.most_common() if not text.startswith("low")))
    print(", ".join(f"{n} {kind}" for kind, n in counts.most_common()), f"in {time.monotonic() - start:.0f} s")
    return int(any(kind not in HARMLESS for kind in counts))


if __name__ == "__main__":
    sys.exit(main())
