"""Two 1x1 convolutions, "first" and "second", most of whose blocks of weights are small, and samples."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(9)
C, SIZE = 64, 8
IMAGE, WEIGHTS = f"tensor<1x{SIZE}x{SIZE}x{C}xf32>", f"tensor<1x1x{C}x{C}xf32>"


def weights():
    """Of 4 input channels and an output channel together, one in five is ten times as large as the others."""
    sizes = np.where(rng.random((C // 4, 1, C)) < 0.2, 1.0, 0.1)
    values = (rng.standard_normal((C // 4, 4, C)) * sizes / 4).astype(np.float32)
    return f'dense<"0x{values.tobytes().hex()}"> : {WEIGHTS}'


def convolution(name, source):
    return (f"  %w{name} = arith.constant {weights()}\n"
            f'  %{name} = linalg.conv_2d_nhwc_hwcf ins(%{source}, %w{name} : {IMAGE}, {WEIGHTS}) outs(%f : {IMAGE}) -> {IMAGE} loc("{name}")\n')


(folder / "blocks.mlir").write_text(
    f'module attributes {{halftone.source_hash = "0c"}} {{\n'
    f'func.func @main(%x: {IMAGE} {{halftone.name = "x"}}) -> ({IMAGE} {{halftone.name = "y"}}) {{\n'
    f"  %zero = arith.constant 0.0 : f32\n  %e = tensor.empty() : {IMAGE}\n"
    f"  %f = linalg.fill ins(%zero : f32) outs(%e : {IMAGE}) -> {IMAGE}\n"
    + convolution("first", "x") + convolution("second", "first") + f"  return %second : {IMAGE}\n}}\n}}\n")
np.savez(folder / "data.npz", x=rng.standard_normal((12, SIZE, SIZE, C)).astype(np.float32))
