"""A network of the entry form in which channels meet in every way that pruning follows, and its samples; into the folder given."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(3)
lines, names = [], iter(range(10000))


def emit(text, result_type):
    value = f"%v{next(names)}"
    lines.append(f"{value} = {text} : {result_type}" if result_type else f"{value} = {text}")
    return value


def tensor(*shape):
    return "tensor<" + "".join(f"{extent}x" for extent in shape) + "f32>"


def constant(*shape, low=None):
    data = rng.standard_normal(shape).astype(np.float32) if low is None else rng.uniform(low, 2, shape).astype(np.float32)
    return emit(f'arith.constant dense<"0x{data.tobytes().hex().upper()}">', tensor(*shape)), shape


def start(*shape, value="%zero"):
    empty = emit("tensor.empty()", tensor(*shape))
    return emit(f"linalg.fill ins({value} : f32) outs({empty} : {tensor(*shape)}) -> {tensor(*shape)}", "")


def generic(shape, operands, maps, body):
    empty = emit("tensor.empty()", tensor(*shape))
    dims = ", ".join(f"d{i}" for i in range(len(shape)))
    all_maps = ", ".join(f"affine_map<({dims}) -> ({m or dims})>" for m in [*maps, None])
    arguments = ", ".join(f"%a{i}: f32" for i in range(len(operands) + 1))
    kinds = ", ".join('"parallel"' for _ in shape)
    return emit(
        f"linalg.generic {{indexing_maps = [{all_maps}], iterator_types = [{kinds}]}} "
        f"ins({', '.join(v for v, _ in operands)} : {', '.join(tensor(*s) for _, s in operands)}) "
        f"outs({empty} : {tensor(*shape)}) {{ ^bb0({arguments}): {body} linalg.yield %r : f32 }} -> {tensor(*shape)}", ""), shape


def elementwise(shape, operands, operation, maps=(None, None)):
    return generic(shape, operands, maps, f"%r = {operation} %a0, %a1 : f32")


def bias(x):
    dim = f"d{len(x[1]) - 1}"
    return elementwise(x[1], [x, constant(x[1][-1])], "arith.addf", (None, dim))


def relu(x):
    return generic(x[1], [x], [None], "%r = arith.maximumf %a0, %zero : f32")


def pad(x):
    n, h, w, c = x[1]
    shape = (n, h + 2, w + 2, c)
    return emit(f"tensor.pad {x[0]} low[0, 1, 1, 0] high[0, 1, 1, 0] {{ ^bb0(%i0: index, %i1: index, %i2: index, %i3: index): "
                f"tensor.yield %zero : f32 }} : {tensor(*x[1])} to {tensor(*shape)}", ""), shape


def windowed(op, x, weights, shape, name):
    steps = "{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}"
    return emit(f"linalg.{op} {steps} ins({x[0]}, {weights[0]} : {tensor(*x[1])}, {tensor(*weights[1])}) "
                f"outs({start(*shape)} : {tensor(*shape)}) -> {tensor(*shape)} loc(\"{name}\")", ""), shape


def convolution(x, outputs, name, kernel=1):
    x = pad(x) if kernel == 3 else x
    n, h, w, c = x[1]
    shape = (n, h - kernel + 1, w - kernel + 1, outputs)
    return bias(windowed("conv_2d_nhwc_hwcf", x, constant(kernel, kernel, c, outputs), shape, name))


def depthwise(x, name):
    n, h, w, c = x[1]
    return bias(windowed("depthwise_conv_2d_nhwc_hwc", pad(x), constant(3, 3, c), x[1], name))


def grouped(x, groups, name):
    """As many channels of each group out as in."""
    n, h, w, c = x[1]
    split = (n, h, w, groups, c // groups)
    expanded = emit(f"tensor.expand_shape {x[0]} [[0], [1], [2], [3, 4]] output_shape [{', '.join(map(str, split))}] : "
                    f"{tensor(*x[1])} into {tensor(*split)}", ""), split
    weights = constant(groups, c // groups, 1, 1, c // groups)
    y = windowed("conv_2d_nhwgc_gfhwc", expanded, weights, split, name)
    return bias((emit(f"tensor.collapse_shape {y[0]} [[0], [1], [2], [3, 4]] : {tensor(*split)} into {tensor(*x[1])}", ""), x[1]))


def product(x, outputs, name):
    shape = (x[1][0], outputs)
    weights = constant(x[1][1], outputs)
    return bias((emit(f"linalg.matmul ins({x[0]}, {weights[0]} : {tensor(*x[1])}, {tensor(*weights[1])}) "
                      f"outs({start(*shape)} : {tensor(*shape)}) -> {tensor(*shape)} loc(\"{name}\")", ""), shape))


def concat(x, y):
    shape = (*x[1][:3], x[1][3] + y[1][3])
    return emit(f"tensor.concat dim(3) {x[0]}, {y[0]} : ({tensor(*x[1])}, {tensor(*y[1])}) -> {tensor(*shape)}", ""), shape


def channels(x, first, count):
    shape = (*x[1][:3], count)
    return emit(f"tensor.extract_slice {x[0]}[0, 0, 0, {first}] [{', '.join(map(str, shape))}] [1, 1, 1, 1] : "
                f"{tensor(*x[1])} to {tensor(*shape)}", ""), shape


def hard_sigmoid(x):
    """A function that is not 0 at 0."""
    t = tensor(*x[1])
    body = ("%e = tensor.empty() : T %y = linalg.generic {indexing_maps = [M, M], iterator_types = [P, P, P, P]} ins(%b : T) outs(%e : T) "
            "{ ^bb0(%i: f32, %o: f32): %one = arith.constant 1.0 : f32 %none = arith.constant 0.0 : f32 %alpha = arith.constant 0.25 : f32 "
            "%beta = arith.constant 0.5 : f32 %p = arith.mulf %i, %alpha : f32 %s = arith.addf %p, %beta : f32 "
            "%u = arith.maximumf %s, %none : f32 %q = arith.minimumf %u, %one : f32 linalg.yield %q : f32 } -> T halftone.yield %y : T")
    body = body.replace("M", "affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>").replace("P", '"parallel"').replace("T", t)
    return emit(f'halftone.composite "hard_sigmoid" ({x[0]}) {{alpha = 0.25 : f32, beta = 0.5 : f32}} : ({t}) -> {t} {{ ^bb0(%b: {t}): {body} }}', ""), x[1]


def max_pool(x):
    n, h, w, c = x[1]
    shape = (n, h // 2, w // 2, c)
    window = emit("tensor.empty()", tensor(2, 2))
    return emit(f"linalg.pooling_nhwc_max {{dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}} "
                f"ins({x[0]}, {window} : {tensor(*x[1])}, {tensor(2, 2)}) outs({start(*shape, value='%lowest')} : {tensor(*shape)}) "
                f"-> {tensor(*shape)}", ""), shape


def flatten(x, channels_first):
    n, h, w, c = x[1]
    if channels_first:
        shape = (n, c, h, w)
        empty = emit("tensor.empty()", tensor(*shape))
        x = emit(f"linalg.transpose ins({x[0]} : {tensor(*x[1])}) outs({empty} : {tensor(*shape)}) permutation = [0, 3, 1, 2]", ""), shape
    flat = (n, h * w * c)
    return emit(f"tensor.collapse_shape {x[0]} [[0], [1, 2, 3]] : {tensor(*x[1])} into {tensor(*flat)}", ""), flat


image = ("%x", (1, 8, 8, 3))
stem = relu(convolution(image, 20, "stem", 3))
wide = relu(convolution(stem, 24, "expand"))
wide = relu(depthwise(wide, "depthwise"))
narrow = convolution(wide, 20, "project")
joined = relu(elementwise(stem[1], [stem, narrow], "arith.addf"))
left, right = hard_sigmoid(convolution(joined, 12, "left", 3)), convolution(joined, 16, "right")
both = concat(left, right)
both = elementwise(both[1], [both, constant(both[1][3], low=0.5)], "arith.mulf", (None, "d3"))
part = convolution(channels(both, 7, 14), 12, "part")
alone = grouped(convolution(both, 12, "before"), 2, "grouped")
kept = convolution(alone, 8, "kept")
pooled = max_pool(elementwise(part[1], [part, convolution(both, 12, "also")], "arith.addf"))
hidden = relu(product(flatten(pooled, True), 40, "hidden"))
second = product(flatten(pooled, False), 40, "second")
logits = product(elementwise(hidden[1], [hidden, second], "arith.mulf"), 5, "logits")

text = f"""module attributes {{halftone.stage = "import", halftone.version = 1 : i64, halftone.source_hash = "00ff"}} {{
func.func @main(%x: {tensor(*image[1])} {{halftone.name = "x"}}) -> ({tensor(*logits[1])} {{halftone.name = "logits"}}, {tensor(*kept[1])} {{halftone.name = "kept"}}) {{
%zero = arith.constant 0.0 : f32
%lowest = arith.constant 0xFF800000 : f32
"""
text += "\n".join(lines) + f"\nreturn {logits[0]}, {kept[0]} : {tensor(*logits[1])}, {tensor(*kept[1])}\n}}\n}}\n"
(folder / "network.mlir").write_text(text)
np.savez(folder / "samples.npz", x=rng.standard_normal((24, *image[1][1:])).astype(np.float32))
