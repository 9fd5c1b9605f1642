"""A 1x1, a depthwise and a 1x1 convolution with Relu6 between them, whose channels have very different ranges, and samples."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(5)
C, SIZE = 24, 9
factors = np.exp2(rng.uniform(-5, 3, C))


def constant(name, value):
    value = np.asarray(value, np.float32)
    shape = "x".join(map(str, value.shape))
    return f'  %{name} = arith.constant dense<"0x{value.tobytes().hex()}"> : tensor<{shape}xf32>\n'


def tail(name, size):
    """A bias and Relu6."""
    image = f"tensor<1x{size}x{size}x{C}xf32>"
    return f"""  %{name} = linalg.generic {{indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}}
      ins(%c{name}, %b{name} : {image}, tensor<{C}xf32>) outs(%e{name} : {image}) {{
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    %l = arith.maximumf %s, %zero : f32
    %u = arith.minimumf %l, %six : f32
    linalg.yield %u : f32
  }} -> {image}
"""


def convolution(name, op, source, taken, weights, given):
    return (f"  %e{name} = tensor.empty() : {given}\n"
            f"  %f{name} = linalg.fill ins(%zero : f32) outs(%e{name} : {given}) -> {given}\n"
            f"  %c{name} = linalg.{op} ins(%{source}, %w{name} : {taken}, {weights}) outs(%f{name} : {given}) -> {given}\n")


def image(size, channels):
    return f"tensor<1x{size}x{size}x{channels}xf32>"


text = f"""#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
module attributes {{halftone.source_hash = "0b"}} {{
func.func @main(%x: {image(SIZE, 4)} {{halftone.name = "x"}}) -> ({image(SIZE - 2, 6)} {{halftone.name = "y"}}) {{
  %zero = arith.constant 0.0 : f32
  %six = arith.constant 6.0 : f32
"""
text += constant("w1", rng.standard_normal((1, 1, 4, C)) * factors) + constant("b1", rng.standard_normal(C) * factors)
text += constant("w2", rng.standard_normal((3, 3, C)) / 3) + constant("b2", rng.standard_normal(C) * np.minimum(factors, 2))
text += constant("w3", rng.standard_normal((1, 1, C, 6)) / np.minimum(factors, 6)[:, None])
text += convolution("1", "conv_2d_nhwc_hwcf", "x", image(SIZE, 4), f"tensor<1x1x4x{C}xf32>", image(SIZE, C)) + tail("1", SIZE)
text += convolution("2", "depthwise_conv_2d_nhwc_hwc", "1", image(SIZE, C), f"tensor<3x3x{C}xf32>", image(SIZE - 2, C)) + tail("2", SIZE - 2)
text += convolution("3", "conv_2d_nhwc_hwcf", "2", image(SIZE - 2, C), f"tensor<1x1x{C}x6xf32>", image(SIZE - 2, 6))
text += f"  return %c3 : {image(SIZE - 2, 6)}\n}}\n}}\n"
(folder / "bottleneck.mlir").write_text(text)
np.savez(folder / "data.npz", x=rng.standard_normal((16, SIZE, SIZE, 4)).astype(np.float32))
