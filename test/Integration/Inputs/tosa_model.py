"""Writes a small network in TOSA with seeded weights, and samples: tosa_model.py FOLDER."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
generator = np.random.default_rng(5)
lines = []


def constant(name, *shape, low=-0.4, high=0.4):
    kind = "x".join(map(str, shape)) + "xf32"
    bits = generator.uniform(low, high, shape).astype("<f4").tobytes().hex().upper()
    lines.append(f'  %{name} = "tosa.const"() <{{values = dense<"0x{bits}"> : tensor<{kind}>}}> : () -> tensor<{kind}>')
    return kind


def shape(name, *values):
    lines.append(f"  %{name} = tosa.const_shape {{values = dense<{list(values)}> : tensor<{len(values)}xindex>}} : () -> !tosa.shape<{len(values)}>")


def convolution(result, x, xs, filters, kernel, ys, stride, pad, operation="conv2d"):
    depth = xs[3]
    dims = (filters, *kernel, depth) if operation == "conv2d" else (*kernel, depth, filters // depth)
    weights, bias = constant(result + "_w", *dims), constant(result + "_b", filters)
    lines.append(f"  %{result} = tosa.{operation} %{x}, %{result}_w, %{result}_b, %z, %z {{acc_type = f32, dilation = array<i64: 1, 1>, "
                 f"pad = array<i64: {pad}>, stride = array<i64: {stride}, {stride}>}} : "
                 f"({tensor(xs)}, tensor<{weights}>, tensor<{bias}>, tensor<1xf32>, tensor<1xf32>) -> {tensor(ys)}")


def tensor(sizes):
    return "tensor<" + "x".join(map(str, sizes)) + "xf32>"


def unary(result, operation, x, sizes, attributes=""):
    lines.append(f"  %{result} = tosa.{operation} %{x} {attributes}: ({tensor(sizes)}) -> {tensor(sizes)}")


A, B, C, D = (1, 17, 17, 3), (1, 9, 9, 12), (1, 9, 9, 24), (1, 18, 18, 12)
lines.append('  %z = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>')
convolution("stem", "x", A, 12, (3, 3), B, 2, "1, 1, 1, 1")
unary("relu", "clamp", "stem", B, "{max_val = 3.40282347E+38 : f32, min_val = 0.0 : f32} ")
convolution("depth", "relu", B, 12, (5, 5), B, 1, "2, 2, 2, 2", "depthwise_conv2d")
unary("relu6", "clamp", "depth", B, "{max_val = 6.0 : f32, min_val = 0.0 : f32} ")
convolution("twice", "relu6", B, 24, (3, 3), C, 1, "1, 1, 1, 1", "depthwise_conv2d")
unary("gate", "sigmoid", "twice", C)
convolution("point", "gate", C, 12, (1, 1), B, 1, "0, 0, 0, 0")
# Channels are padded where TFLite's networks add what has fewer.
shape("start", 0, 0, 0, 0)
shape("size", 1, 9, 9, 10)
shape("more", 0, 0, 0, 0, 0, 0, 0, 2)
lines.append(f"  %fewer = tosa.slice %relu, %start, %size : ({tensor(B)}, !tosa.shape<4>, !tosa.shape<4>) -> tensor<1x9x9x10xf32>")
lines.append(f"  %padded = tosa.pad %fewer, %more, %z : (tensor<1x9x9x10xf32>, !tosa.shape<8>, tensor<1xf32>) -> {tensor(B)}")
lines.append(f"  %sum = tosa.add %point, %padded : ({tensor(B)}, {tensor(B)}) -> {tensor(B)}")
# PReLU as the converters of TFLite write it.
constant("slope", 1, 1, 1, 12, low=0.1, high=0.3)
lines.append('  %zero = "tosa.const"() <{values = dense<0.0> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>')
lines.append('  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>')
lines.append(f"  %steep = tosa.mul %sum, %slope, %shift : ({tensor(B)}, tensor<1x1x1x12xf32>, tensor<1xi8>) -> {tensor(B)}")
lines.append(f"  %positive = tosa.greater_equal %sum, %zero : ({tensor(B)}, tensor<1x1x1x1xf32>) -> tensor<1x9x9x12xi1>")
lines.append(f"  %prelu = tosa.select %positive, %sum, %steep : (tensor<1x9x9x12xi1>, {tensor(B)}, {tensor(B)}) -> {tensor(B)}")
shape("scale", 4, 2, 4, 2)
shape("offset", -1, -1)
shape("border", 1, 1)
for name, mode in (("smooth", "BILINEAR"), ("blocks", "NEAREST_NEIGHBOR")):
    lines.append(f"  %{name} = tosa.resize %prelu, %scale, %offset, %border {{mode = {mode}}} : "
                 f"({tensor(B)}, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> {tensor(D)}")
lines.append(f"  %joined = tosa.concat %smooth, %blocks {{axis = 3 : i32}} : ({tensor(D)}, {tensor(D)}) -> tensor<1x18x18x24xf32>")
lines.append("  %mean = tosa.avg_pool2d %joined, %z, %z {acc_type = f32, kernel = array<i64: 3, 3>, pad = array<i64: 0, 0, 0, 0>, "
             "stride = array<i64: 3, 3>} : (tensor<1x18x18x24xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x6x6x24xf32>")
lines.append("  %peak = tosa.max_pool2d %mean {kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>} : "
             "(tensor<1x6x6x24xf32>) -> tensor<1x3x3x24xf32>")
convolution("score", "peak", (1, 3, 3, 24), 1, (3, 3), (1, 1, 1, 1), 1, "0, 0, 0, 0")
shape("vector", 1, 9, 24)
lines.append("  %rows = tosa.reshape %peak, %vector : (tensor<1x3x3x24xf32>, !tosa.shape<3>) -> tensor<1x9x24xf32>")
product = constant("product", 1, 24, 10)
lines.append(f"  %classes = tosa.matmul %rows, %product, %z, %z : (tensor<1x9x24xf32>, tensor<{product}>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x9x10xf32>")

header = (f'func.func @main(%x: {tensor(A)}) -> (tensor<1x9x10xf32>, tensor<1x1x1x1xf32>) attributes '
          '{tf.entry_function = {inputs = "picture", outputs = "classes,score"}} {')
text = "\n".join([header, *lines, "  return %classes, %score : tensor<1x9x10xf32>, tensor<1x1x1x1xf32>", "}", ""])
(folder / "model.mlir").write_text(text)
np.savez(folder / "samples.npz", picture=generator.uniform(-1, 1, (40, 17, 17, 3)).astype("f4"))
