#!/usr/bin/env python3
"""Latency of several builds of one model, in one interleaved run.

    python benchmark/latency.py --data build/photographs/evaluation.npz \
        float=build/models/efficientnet_lite0.onnx int8=build/peers/minmax.onnx \
        halftone=build/efficientnet_lite0.so

Every NAME=FILE is an ONNX model, run by onnxruntime, or a compiled model (.so).
Batch 1, one thread, pinned to one CPU. A round times each contender in turn
(A B C A B C ...), long enough to average many inferences; a contender's latency is
the median over the rounds, its ratio that to the first contender. Other load on
the machine hits all alike; rounds that differ much show as a wide spread.
"""

import argparse
import json
import os
import pathlib
import statistics
import time

from artefact import Artefact
from fidelity import load_samples


class OnnxContender:
    """An ONNX model in onnxruntime, on one thread."""

    def __init__(self, path, samples):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options,
                                                    providers=["CPUExecutionProvider"])
        self.feeds = {value.name: samples[value.name][:1]
                      for value in self.session.get_inputs()}

    def run(self):
        return self.session.run(None, self.feeds)


class ArtefactContender(Artefact):
    """A compiled model, called through its C table."""

    def __init__(self, path, samples):
        super().__init__(path)
        self.set_inputs({name: samples[name][:1] for name in self.inputs})


def open_contender(path, samples):
    kind = OnnxContender if path.suffix == ".onnx" else ArtefactContender
    return kind(path, samples)


def time_runs(contender, count):
    start = time.perf_counter()
    for _ in range(count):
        contender.run()
    return (time.perf_counter() - start) / count


def measure(contenders, rounds, seconds):
    """Seconds per inference: one list of `rounds` values for each contender."""
    counts = {}
    for name, contender in contenders.items():
        time_runs(contender, 3)
        counts[name] = max(3, int(seconds / time_runs(contender, 3)))
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            times[name].append(time_runs(contender, counts[name]))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True,
                        help="npz; its first sample is the input")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.3,
                        help="time of one contender in one round")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers here too")
    parser.add_argument("contenders", nargs="+", metavar="NAME=FILE")
    options = parser.parse_args()
    if options.rounds < 7:
        parser.error("--rounds must be at least 7")

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    samples = load_samples(options.data)
    contenders = {}
    for item in options.contenders:
        name, _, path = item.partition("=")
        contenders[name] = open_contender(pathlib.Path(path).resolve(), samples)
    times = measure(contenders, options.rounds, options.seconds)

    first = statistics.median(next(iter(times.values())))
    width = max(len(name) for name in times)
    print(f"batch 1, one thread, {options.rounds} interleaved rounds, load "
          f"{os.getloadavg()[0]:.1f}")
    print(f"{'':{width}}  median ms  ratio  fastest..slowest round")
    results = {}
    for name, values in times.items():
        median = statistics.median(values)
        results[name] = {"median_ms": 1e3 * median, "ratio": median / first,
                         "rounds_ms": [1e3 * value for value in values]}
        print(f"{name:{width}}  {1e3 * median:9.3f}  {median / first:5.2f}  "
              f"{1e3 * min(values):.3f}..{1e3 * max(values):.3f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
