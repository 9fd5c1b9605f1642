#!/usr/bin/env python3
"""Latency of several builds of one model, in one interleaved run.

    python benchmark/latency.py --data build/photographs/evaluation.npz --threads 2 \
        float=build/models/efficientnet_lite0.onnx int8=build/peers/minmax.onnx \
        halftone=build/efficientnet_lite0.so

Every NAME=FILE is a file that contenders.py opens, in a process of its own, pinned to as many
CPUs as threads. FILE may be followed by settings: `,precision=bf16`, `,env:VARIABLE=VALUE`.
A round times each contender in turn (A B C A B C ...), long enough to average many inferences,
while the others are stopped; a contender's latency is the median over the rounds, its ratio
that to the first contender. Rounds that differ much show as a wide spread.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


class Contender:
    """The driver's end of one contenders.py."""

    def __init__(self, item, data, threads, batch, runtime=None):
        self.name, _, rest = item.partition("=")
        path, *settings = rest.split(",")
        command = [sys.executable, "-W", "ignore", str(HERE / "contenders.py"), path, "--data",
                   str(data), "--threads", str(threads), "--batch", str(batch)]
        environment = dict(os.environ)
        for setting in settings:
            key, _, value = setting.partition("=")
            if key.startswith("env:"):
                environment[key[4:]] = value
            else:
                command += [f"--{key}", value]
        if runtime:
            command += ["--runtime", str(runtime)]
        self.process = subprocess.Popen(command, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.about = self.read()  # loaded before the next contender starts: they share a CPU
        self.process.send_signal(signal.SIGSTOP)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: its process ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, *words):
        """Its answer. Between its turns it is stopped: threads of an onnxruntime that has nothing to do take a CPU from the others."""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.read()
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def measure(contenders, rounds, seconds):
    """`rounds` latencies of each contender, in seconds."""
    counts = {}
    for contender in contenders:
        contender.ask("time", 3)
        counts[contender.name] = max(3, int(seconds / contender.ask("time", 3)))
    times = {c.name: [] for c in contenders}
    for _ in range(rounds):
        for contender in contenders:
            contender.ask("time", 1)  # its caches and its clock, not its predecessor's
            times[contender.name].append(contender.ask("time", counts[contender.name]))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=pathlib.Path, required=True,
                        help="npz; its first samples are the input")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--runtime", type=pathlib.Path, help="libhalftone_runtime.so")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.15,
                        help="time of one contender in one round")
    parser.add_argument("--json", type=pathlib.Path, help="write the numbers here too")
    parser.add_argument("contenders", nargs="+", metavar="NAME=FILE")
    options = parser.parse_args()
    if options.rounds < 7:
        parser.error("--rounds must be at least 7")

    contenders = [Contender(item, options.data, options.threads, options.batch, options.runtime)
                  for item in options.contenders]
    times = measure(contenders, options.rounds, options.seconds)
    for contender in contenders:
        contender.close()

    first = statistics.median(next(iter(times.values())))
    width = max(len(name) for name in times)
    print(f"batch {options.batch}, threads {options.threads}, {options.rounds} interleaved "
          f"rounds, load {os.getloadavg()[0]:.1f}")
    print(f"{'':{width}}  median ms  ratio  fastest..slowest round")
    results = {}
    for contender in contenders:
        name, values = contender.name, times[contender.name]
        median = statistics.median(values)
        results[name] = {"median_ms": 1e3 * median, "ratio": median / first,
                         "rounds_ms": [1e3 * value for value in values], **contender.about}
        print(f"{name:{width}}  {1e3 * median:9.3f}  {median / first:5.2f}  "
              f"{1e3 * min(values):.3f}..{1e3 * max(values):.3f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
