"""Writes points of a square, labelled by being inside of a circle: points.py OUT.npz"""
import sys

import numpy as np

points = np.random.default_rng(3).uniform(-1, 1, (600, 2)).astype(np.float32)
label = (np.hypot(points[:, 0], points[:, 1]) < 0.8).astype(np.int32)
np.savez(sys.argv[1], point=points, label=label, target=np.eye(2, dtype=np.float32)[label], short=label[:10],
         far=label + 1000)
