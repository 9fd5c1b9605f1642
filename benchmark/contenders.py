#!/usr/bin/env python3
"""One model in one tool, in a process of its own that latency.py and fidelity.py drive.

    python benchmark/contenders.py build/peers/minmax.onnx --data few.npz --threads 2

opens the file (.onnx: onnxruntime, .xml: OpenVINO, .so: Halftone), runs its first samples,
prints one line of JSON about loading and memory, and then answers lines on stdin:
`time N` with the seconds of one of N inferences, `outputs FILE` with all samples' outputs.
Each tool is in its fastest setting: onnxruntime with bound inputs and outputs, OpenVINO with
the latency hint, one stream and pinned threads. A process of its own, because environment
variables choose instruction sets, and one tool's threads must not wait in another's time.
"""

import argparse
import ctypes
import json
import os
import pathlib
import sys
import time

import numpy as np

from artefact import Session
from fidelity import load_samples


class Onnxruntime:
    def __init__(self, options):
        import onnxruntime
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(options.model), settings,
                                                    providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        self.names = [value.name for value in self.session.get_inputs()]

    def bind(self, feeds):
        for name in self.names:
            self.binding.bind_cpu_input(name, feeds[name])
        for value in self.session.get_outputs():
            self.binding.bind_output(value.name)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        names = [value.name for value in self.session.get_outputs()]
        return dict(zip(names, self.binding.copy_outputs_to_cpu()))

    def executed(self):
        return {}


class OpenVino:
    def __init__(self, options):
        import openvino
        core = openvino.Core()
        model = core.read_model(str(options.model))
        model.reshape({v.any_name: [options.batch, *list(v.partial_shape)[1:]]
                       for v in model.inputs})
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": options.threads,
                    "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": True}
        if options.precision:
            settings["INFERENCE_PRECISION_HINT"] = options.precision
        self.tensor = openvino.Tensor
        self.compiled = core.compile_model(model, "CPU", settings)
        self.request = self.compiled.create_infer_request()

    def bind(self, feeds):
        for value in self.compiled.inputs:
            tensor = self.tensor(feeds[value.any_name], shared_memory=True)
            self.request.set_tensor(value, tensor)

    def run(self):
        self.request.infer()

    def outputs(self):
        return {v.any_name: self.request.get_tensor(v).data.copy()
                for v in self.compiled.outputs}

    def executed(self):
        """How many convolutions and products ran in which of oneDNN's implementations."""
        counts = {}
        for node in self.compiled.get_runtime_model().get_ordered_ops():
            info = node.get_rt_info()
            kind = info["layerType"].astype(str)
            if kind in ("Convolution", "FullyConnected", "MatMul"):
                name = info["primitiveType"].astype(str)
                counts[name] = counts.get(name, 0) + 1
        return counts


class Halftone:
    def __init__(self, options):
        self.session = Session(options.runtime, options.model, options.threads, options.batch)

    def bind(self, feeds):
        self.session.set_inputs(feeds)

    def run(self):
        self.session.run()

    def outputs(self):
        return {name: value.copy() for name, value in self.session.outputs.items()}

    def executed(self):
        counts = {}
        for layer in self.session.layers():
            if layer.multiplyAccumulates:
                kernel = layer.kernel.decode()
                counts[kernel] = counts.get(kernel, 0) + 1
        return counts


TOOLS = {".onnx": Onnxruntime, ".xml": OpenVino, ".so": Halftone}


def preload(options):
    """Loads the tool's own code, so that a model's memory and load time are its own."""
    if options.model.suffix == ".onnx":
        import onnxruntime  # noqa: F401
    elif options.model.suffix == ".xml":
        import openvino
        openvino.Core().get_property("CPU", "FULL_DEVICE_NAME")
    else:
        ctypes.CDLL(str(options.runtime))


def peak_bytes():
    """The peak resident memory of this process so far (VmHWM)."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status has no VmHWM")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--precision", help="OpenVINO's hint for what is float: f32 or bf16")
    parser.add_argument("--runtime", type=pathlib.Path, help="libhalftone_runtime.so")
    return parser.parse_args()


def answer(contender, words, samples, batch):
    if words[0] == "time":
        start = time.perf_counter()
        for _ in range(int(words[1])):
            contender.run()
        return (time.perf_counter() - start) / int(words[1])
    count = len(next(iter(samples.values())))
    rows = []
    for i in range(0, count, batch):
        contender.bind({n: np.ascontiguousarray(v[i:i + batch]) for n, v in samples.items()})
        contender.run()
        rows.append(contender.outputs())
    np.savez_compressed(words[1], **{n: np.concatenate([r[n] for r in rows]) for n in rows[0]})
    return count


def main():
    options = parse()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-options.threads:])
    samples = load_samples(options.data)
    feeds = {n: np.resize(v, (options.batch, *v.shape[1:])) for n, v in samples.items()}
    preload(options)
    start = time.perf_counter()
    options.model.read_bytes()
    reading = time.perf_counter() - start
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    before, start = peak_bytes(), time.perf_counter()
    contender = TOOLS[options.model.suffix](options)
    loaded = time.perf_counter() - start
    contender.bind(feeds)
    for _ in range(3):
        contender.run()
    about = {"load_ms": 1e3 * loaded, "read_ms": 1e3 * reading, "memory": peak_bytes() - before,
             "executed": contender.executed()}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(contender, line.split(), samples, options.batch)), flush=True)


if __name__ == "__main__":
    main()
