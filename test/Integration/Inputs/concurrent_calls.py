"""concurrent_calls.py LIBRARY MODEL DATA: 8 threads, each with a session of its own, call one
module 1,000 times; every output must have the bits of the first call on that sample."""
import pathlib
import sys
import threading

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "benchmark"))
from artefact import Session  # noqa: E402

library, model, data = sys.argv[1:]
samples = np.load(data)["image"][:8]
first = Session(library, model, threads=2)


def outputs_of(session, sample):
    session.set_inputs({"image": samples[sample:sample + 1]})
    session.run()
    return [array.tobytes() for array in session.outputs.values()]


expected = [outputs_of(first, i) for i in range(8)]
assert len({value[0] for value in expected}) > 1, "all samples give the same outputs"
wrong = []


def call(start):
    session = Session(library, model, module=first.module)
    for i in range(1000):
        sample = (start + i) % 8
        if outputs_of(session, sample) != expected[sample]:
            wrong.append((start, i))


threads = [threading.Thread(target=call, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("calls that differ:", len(wrong))
sys.exit(bool(wrong))
