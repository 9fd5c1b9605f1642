"""Data sets for product.textproto, good and bad, into the folder given."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(1)
x = rng.standard_normal((64, 4)).astype(np.float32)
np.savez(folder / "good.npz", x=x, label=np.zeros(64, np.int64))
np.savez(folder / "wrong-name.npz", image=x)
np.savez(folder / "wrong-shape.npz", x=x[:, :3])
np.savez(folder / "wrong-type.npz", x=x.astype(np.float64))
bad = x.copy()
bad[[3, 8], 1] = np.nan
np.savez(folder / "nan.npz", x=bad)
np.savez(folder / "few.npz", x=np.repeat(x[:3], 1, axis=0))
np.savez(folder / "unnormalized.npz", x=np.floor(rng.uniform(0, 256, (64, 4))).astype(np.float32))
np.savez(folder / "first.npz", x=x[:20])
np.savez(folder / "second.npz", x=x[20:])
