"""Writes the same 64 pictures, smooth and seeded, under both names that the twin models give their input.

    twin_data.py FOLDER     image.npz (key `image`) and input.npz (key `input`), f32 [64, 3, 32, 32]
"""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
random = np.random.default_rng(7)
coarse = random.normal(size=(64, 3, 9, 9)).astype(np.float32)
pictures = np.repeat(np.repeat(coarse, 4, axis=2), 4, axis=3)[:, :, :32, :32]
pictures += 0.1 * random.normal(size=pictures.shape).astype(np.float32)
pictures = pictures.astype(np.float32)
np.savez(folder / "image.npz", image=pictures)
np.savez(folder / "input.npz", input=pictures)
