#!/usr/bin/env python3
"""Fidelity, latency, memory and loading against onnxruntime and OpenVINO, by one command.

    python -m venv build/benchmark-python
    build/benchmark-python/bin/pip install -r benchmark/requirements.txt
    build/benchmark-python/bin/python benchmark/run.py --halftone build/bin/halftone \\
        -o build/benchmark

For each model of models.json: export it, make its data, quantize it with each tool on the
same calibration samples, run all on the same evaluation samples, time all in one interleaved
run for each batch and number of threads, and print one table where a latency stands beside
the fidelity of the same artefact. What the peers and the exporters made is kept in the output
folder and not made again; ours is. results.json there has all numbers; report.py makes the
tables and the plot of docs/Benchmarks.md from it.
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

import numpy as np

import cpu
from fidelity import compare, load_samples, spread
from latency import Contender

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
MODELS = json.loads((HERE / "models.json").read_text())
# Ours where pairs of bytes are added up in words: bounded weights, which take fewer instructions.
BOUNDED = ("int8pair", "int7pair")
# Where the CPU has AMX, its rows come a second time without.
AMX_WITHHELD = "x86-64-v4+avx512vnni"
# Without AMX OpenVINO would still choose bf16 for what is not int8, and emulate it at half the speed of f32.
OPENVINO_WITHHELD = "precision=f32,env:ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI"


def call(*command):
    """Runs a command; its output is shown, its failure ends the run."""
    command = [str(word) for word in command]
    print("+", " ".join(command), flush=True)
    status = subprocess.run(command).returncode
    if status:
        raise SystemExit(f"{command[0]} failed with status {status}")


def script(name, *arguments):
    call(sys.executable, "-W", "ignore", HERE / name, *arguments)


def make(path, *arguments):
    """Runs a script of this folder unless what it writes is already there."""
    if not path.exists():
        script(*arguments)
    return path


def symbolic_batch(model, path):
    """The same model with its leading dimensions called `batch`."""
    import onnx
    graph = onnx.load(str(model))
    for value in [*graph.graph.input, *graph.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del graph.graph.value_info[:]
    onnx.save(graph, str(path))
    return path


def prepare(name, output):
    """The float model with a symbolic batch, its calibration and its evaluation samples."""
    if name == "fashion":
        test = output / "fashion-test.npz"
        if not test.exists():
            call(sys.executable, ROOT / "utils" / "make_fashion_npz.py", "-o", test)
        demo = ROOT / "models" / "demo"
        return demo / "fashion.onnx", demo / "calibration.npz", test
    if MODELS[name]["kind"] == "encoder":  # its script makes its samples, too
        model = make(output / "models" / f"{name}.onnx", f"models/{name}.py", "-o", output / "models")
        samples = [model.with_name(f"{name}-{part}.npz") for part in ("calibration", "evaluation")]
        return symbolic_batch(model, model.with_suffix(".batch.onnx")), *samples
    photographs = output / "photographs"
    evaluation = make(photographs / "evaluation.npz", "photographs.py", "-o", photographs)
    calibration = photographs / "calibration.npz"
    seeded = [] if MODELS[name]["trained"] else ["--photographs", calibration]
    model = make(output / "models" / f"{name}.onnx", f"models/{name}.py", *seeded,
                 "-o", output / "models")
    return symbolic_batch(model, model.with_suffix(".batch.onnx")), calibration, evaluation


def quantize_with_peers(name, model, calibration, output, features):
    """{"onnxruntime minmax": file, ...}; what is there is not made again. Where the peers' products of bytes saturate, for want of
    an instruction, they have models with weights of 7 bits, too."""
    settings, made = dict(MODELS[name]), {}
    if cpu.multiplies_in_words(features):
        settings["onnxruntime"] = [*settings["onnxruntime"], "minmax-7bit"]
        settings["nncf"] = [*settings["nncf"], *(f"{preset}-7bit" for preset in settings["nncf"])]
    limit = ["--samples", settings["calibration"]] if settings["calibration"] else []
    transformer = ["--transformer"] if settings["kind"] == "encoder" else []
    for tool, flag, choices, suffix, more in (
            ("onnxruntime", "--methods", settings["onnxruntime"], "onnx", []),
            ("openvino", "--presets", settings["nncf"], "xml", transformer)):
        folder = output / tool / name
        for choice in choices:
            made[f"{tool} {choice}"] = make(
                folder / f"{choice}.{suffix}", f"peers_{tool}.py", model, "--calibration",
                calibration, flag, choice, *limit, *more, "-o", folder)
    return made


def compiler(halftone, command, model, path, *arguments):
    """What one command of ours took: seconds, peak memory, bytes of the file."""
    start = time.perf_counter()
    words = [str(w) for w in (halftone, command, model, *arguments, "-o", path)]
    print("+", " ".join(words), flush=True)
    process = subprocess.Popen(words)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{halftone} {command} failed with status {status}")
    return {"seconds": time.perf_counter() - start, "memory": usage.ru_maxrss * 1024,
            "file": path.stat().st_size}


def build_ours(halftone, model, calibration, folder, batches, amx, bounded):
    """Always anew: the compiler may have changed. Returns what each command took. The first
    batch is built as a user would; the statistics that it keeps serve the others, and the weights of `bounded`."""
    took, stats, hessians = {}, folder / "calibration.stats", folder / "calibration.hessians"
    hessians.unlink(missing_ok=True)
    for batch in batches:
        dim = ["--dim", f"batch={batch}"]
        quantized = folder / f"quantized-{batch}.mlirbc"
        plain = folder / f"int8-{batch}.so"
        if batch == batches[0]:
            took["build"] = compiler(halftone, "build", model, plain, "--data", calibration,
                                     *dim, "--save-stats", stats)
        compiler(halftone, "quantize", model, quantized, "--stats", stats, *dim)
        took[plain.stem] = compiler(halftone, "compile", quantized, plain)
        if amx:
            vnni = folder / f"int8-vnni-{batch}.so"
            took[vnni.stem] = compiler(halftone, "compile", quantized, vnni,
                                       "--target-cpu", AMX_WITHHELD)
        for weights in bounded:
            file = folder / f"{weights}-{batch}.so"
            compiler(halftone, "quantize", model, quantized, "--stats", stats, *dim, "--weights", weights,
                     "--rounding", "gptq", "--data", calibration, "--hessians", hessians)
            took[file.stem] = compiler(halftone, "compile", quantized, file)
        file = folder / f"float-{batch}.so"
        took[file.stem] = compiler(halftone, "build", model, file, "--float", *dim)
    return took


def outputs_of(item, data, path, runtime):
    """The outputs of one contender for all samples."""
    contender = Contender(item, data, threads=1, batch=1, runtime=runtime)
    contender.ask("outputs", path)
    contender.close()
    return load_samples(path)


def fidelity(name, files, model, evaluation, folder, runtime):
    """For each file its top-1 agreement and SQNR, and the accuracy where there are labels."""
    data = load_samples(evaluation)
    label = data.pop("label", None)
    inputs = folder / "evaluation.npz"
    np.savez(inputs, **spread(data, None if MODELS[name]["trained"] else 50))
    reference = next(iter(outputs_of(f"float={model}", inputs, folder / "float.npz", runtime).values()))
    results = {}
    for key, file in files.items():
        outputs = outputs_of(f"{key}={file}", inputs, folder / "outputs.npz", runtime)
        logits = next(iter(outputs.values()))
        results[key] = compare(reference, logits)
        if label is not None:
            results[key]["accuracy"] = float((logits.argmax(1) == label).mean())
    if label is not None:
        results["float"] = {"accuracy": float((reference.argmax(1) == label).mean())}
    return results


def better(tool, results):
    """The tool's choice of calibration or preset that is nearest to float."""
    return max((k for k in results if k.startswith(tool)), key=lambda k: results[k]["sqnr_db"])


def contenders(model, peers, chosen, openvino_float, ours, batch, amx, bounded):
    withheld = [f"openvino int8 without AMX={peers[chosen['openvino']]},{OPENVINO_WITHHELD}",
                f"halftone int8 without AMX={ours / f'int8-vnni-{batch}.so'}"]
    return [f"onnxruntime float={model}",
            f"onnxruntime int8={peers[chosen['onnxruntime']]}",
            f"openvino float={openvino_float},precision=f32",
            f"openvino bf16={openvino_float},precision=bf16",
            f"openvino int8={peers[chosen['openvino']]}",
            f"halftone float={ours / f'float-{batch}.so'}",
            f"halftone int8={ours / f'int8-{batch}.so'}",
            *[f"halftone {weights}={ours / f'{weights}-{batch}.so'}" for weights in bounded],
            *(withheld if amx else [])]


def two_threads(output):
    """How many times the dots of one thread two threads make from registers, at this moment; None where the CPU or the compiler lacks them."""
    program = output / "peaks"
    if not program.exists():
        call("clang-22", "-O2", "-march=native", "-pthread", "-I", ROOT / "include", HERE / "kernels" / "peaks.c", "-o", program)
    return json.loads(subprocess.run([program, "--two-threads"], check=True, text=True, stdout=subprocess.PIPE).stdout).get("two_threads")


def measure(name, options, features):
    amx, bounded = "amx_int8" in features, BOUNDED if cpu.multiplies_in_words(features) else ()
    output = options.output
    model, calibration, evaluation = prepare(name, output)
    peers = quantize_with_peers(name, model, calibration, output, features)
    ours = output / "halftone" / name
    ours.mkdir(parents=True, exist_ok=True)
    if MODELS[name]["calibration"]:  # the peers' samples
        samples = spread(load_samples(calibration), MODELS[name]["calibration"])
        calibration = ours / "calibration.npz"
        np.savez(calibration, **samples)
    results = {"build": build_ours(options.halftone, model, calibration, ours, options.batches, amx, bounded)}
    runtime = options.halftone.parent.parent / "lib" / "libhalftone_runtime.so"
    files = {**peers, **{f"halftone {weights}": ours / f"{weights}-1.so" for weights in ("int8", *bounded)}}
    results["fidelity"] = fidelity(name, files, model, evaluation, ours, runtime)
    chosen = {tool: better(tool, results["fidelity"]) for tool in ("onnxruntime", "openvino")}
    results["chosen"] = chosen
    few = ours / "few.npz"
    inputs = spread(load_samples(evaluation), 8)
    inputs.pop("label", None)
    np.savez(few, **inputs)
    openvino_float = output / "openvino" / name / "float.xml"
    results["latency"], results["dots"] = {}, {}
    for batch in options.batches:
        items = contenders(model, peers, chosen, openvino_float, ours, batch, amx, bounded)
        for threads in options.threads:
            key = f"batch {batch}, threads {threads}"
            print(f"\n{name}: {key}")
            file = ours / f"latency-{batch}-{threads}.json"
            before = two_threads(output) if threads == 2 else None
            call(*shlex.split(options.launcher), sys.executable, "-W", "ignore",
                 HERE / "latency.py", "--data", few, "--threads", threads, "--batch", batch,
                 "--runtime", runtime, "--json", file, *items)
            results["latency"][key] = json.loads(file.read_text())
            if before:
                results["dots"][key] = [before, two_threads(output)]
    return results


def machine():
    """What the numbers depend on: the CPU, its features that matter, the versions."""
    import nncf
    import onnxruntime
    import openvino
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict(line.split("\t: ") if "\t: " in line else (line, "") for line in lines)
    facts = {key.strip(): value for key, value in facts.items()}
    known = ("avx2", "avx512", "avx_vnni", "amx", "asimd", "i8mm")
    features = [f for f in cpu.features() if f.startswith(known)]
    return {"cpu": facts.get("model name", "unknown"), "cpus": len(os.sched_getaffinity(0)),
            "features": features, "onnxruntime": onnxruntime.__version__,
            "openvino": openvino.__version__.split("-")[0], "nncf": nncf.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--halftone", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--launcher", default="", help="words before the command of a timed run")
    options = parser.parse_args()
    options.halftone = options.halftone.resolve()
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {"models": {}}
    results["machine"] = machine()
    for name in options.models:
        results["models"][name] = measure(name, options, results["machine"]["features"])
        file.write_text(json.dumps(results, indent=2) + "\n")
    script("report.py", file, "-o", options.output)


if __name__ == "__main__":
    main()
