"""A network whose first layer sums 48,000 products, and samples for it, into the folder given."""
import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "Import/Inputs"))
from make_model import Model  # noqa: E402

LENGTH, HIDDEN = 48000, 4
folder, rng = pathlib.Path(sys.argv[1]), np.random.default_rng(1)
model = Model()
model.input("x", "f32", [1, LENGTH])
model.constant("w0", "f32", (LENGTH, HIDDEN), rng.standard_normal(LENGTH * HIDDEN).tolist())
model.constant("w1", "f32", (HIDDEN, 3), rng.standard_normal(HIDDEN * 3).tolist())
model.node("MatMul", "x w0", "sums", name="long")
model.node("Relu", "sums", "positive")
model.node("MatMul", "positive w1", "y", name="short")
model.output("y", "f32", [1, 3])
(folder / "long.onnx").write_bytes(model.serialize())
np.savez(folder / "data.npz", x=rng.standard_normal((3, 1, LENGTH)).astype(np.float32))
