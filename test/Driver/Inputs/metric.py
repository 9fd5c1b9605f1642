"""A --metric-command: minus the mean distance of what a model gave from what float gave, in thousandths; for the samples that it is told of.

    metric.py DATA.npz MODEL.so
"""
import os
import sys

import numpy

data = numpy.load(sys.argv[1])["image"]
assert os.path.getsize(sys.argv[2]) > 0
begin, end = map(int, os.environ["HALFTONE_SAMPLES"].split(":"))
outputs, reference = (numpy.load(os.environ[name])["logits"] for name in ("HALFTONE_OUTPUTS", "HALFTONE_REFERENCE"))
assert 0 <= begin < end <= len(data) and len(outputs) == len(reference) == end - begin
print(-1000 * abs(outputs - reference).mean())
