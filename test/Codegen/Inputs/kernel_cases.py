"""Writes one MLIR module, in the integer form and in floats, that has a case for each kernel generator.

Extents are odd on purpose: rows, columns and reductions that are no multiple of any tile, vector or dot. Half of the
integer weights are the extremes -127 and 127, and the test feeds all codes from -128 to 127.

With the argument `integers`, those in floats are left out: for instruction sets whose float kernels are another's;
with `two` behind it, the batch is 2 and static.
With `few`, weights take few values or are multiples of their group's multiplier: they can be stored in few bits. With `row`
too, each product has one row, whatever the batch is.
With `windows`, all are 3x3 convolutions with stride 1 that Winograd's kernel takes.
With `narrow` and a number, the cases of `integers` have weights of at most so much; some read nothing but the extremes -128 and 127. With `pairs`,
two neighbours of a reduction have at most that sum, and mostly just that.
"""
import math
import random
import sys

RANDOM = random.Random(1)
MOST = 127


def extents(shape, element):
    return "tensor<" + "x".join(["?" if n < 0 else str(n) for n in shape] + [element]) + ">"


def dense(values, shape):
    if not shape:
        return str(values.pop())
    return "[" + ", ".join(dense(values, shape[1:]) for _ in range(shape[0])) + "]"


def constant(name, shape, element, value):
    size = 1
    for extent in shape:
        size *= extent
    return f"  {name} = arith.constant dense<{dense([value() for _ in range(size)], shape)}> : {extents(shape, element)}\n"


def weight():
    return RANDOM.choice([-MOST, MOST, RANDOM.randint(-MOST, MOST), RANDOM.randint(-MOST, MOST)])


def anything(shape):
    return weight


def pairs(bound, pick=RANDOM.choice, sign=None):
    """Weights of which the elements 2 i and 2 i + 1 of a reduction sum up to [-bound, bound] where they have one sign, or have that of `sign()`."""
    def weights(shape):
        columns, made = shape[-1], {}
        index = iter(reversed(range(math.prod(shape))))  # as `dense` takes them

        def value():
            row, column = divmod(next(index), columns)
            other = made.pop((row ^ 1, column), None)
            if other is None:
                made[row, column] = (sign() if sign else RANDOM.choice([-1, 1])) * pick([MOST, RANDOM.randint(0, MOST)])
                return made[row, column]
            low, high = (-MOST, bound - other) if other >= 0 else (-bound - other, MOST)
            low, high = max(low, -MOST), min(high, MOST)
            if sign:
                return high if other >= 0 else low
            return RANDOM.choice([low, high, RANDOM.randint(low, high)])
        return value
    return weights


def rare_weights(shape, density):
    """Weights of which that share of the quads (4 input channels of a tap and an output channel) is not zero, row-major."""
    taps, channels, outputs = shape[0] * shape[1], shape[2], shape[3]
    kept = [[[RANDOM.random() < density for _ in range(outputs)] for _ in range(channels // 4)] for _ in range(taps)]
    values = anything(shape)
    return iter([values() if kept[t][c // 4][o] else values() * 0 for t in range(taps) for c in range(channels) for o in range(outputs)])


def levels(count, *extremes):
    """Weights of `count` values, the extremes among them."""
    values = list(extremes)
    while len(values) < count:
        values = sorted(set(values + [RANDOM.randint(-127, 127)]))
    return lambda shape: lambda: RANDOM.choice(values)


def groups(size, bits=4, factors=None):
    """Codes of so many bits with a multiplier for each column and `size` elements of the reduction; some groups are 0."""
    lowest, largest = -2 ** (bits - 1), 127 // (2 ** (bits - 1) - 1)

    def weights(shape):
        columns, multipliers = shape[-1], {}
        index = iter(reversed(range(math.prod(shape))))  # as `dense` takes them

        def value():
            i = next(index)
            factor = multipliers.setdefault((i // columns // size, i % columns), RANDOM.choice(factors or [0] + 4 * [1, 2, 7, 15, largest]))
            least = lowest + 1 if factor == largest else lowest
            return factor * RANDOM.choice([least, -lowest - 1, RANDOM.randint(least, -lowest - 1)])
        return value
    return weights


def tables(size, bits=4):
    """Values of one of four tables for each column and `size` elements of the reduction; no value but 0 is in two tables, some groups are 0."""
    values = RANDOM.sample([v for v in range(-127, 128) if v], 4 * (2 ** bits - 1))
    choices = [[0] + values[t::4] for t in range(4)] + [[0]]

    def weights(shape):
        columns, chosen = shape[-1], {}
        index = iter(reversed(range(math.prod(shape))))  # as `dense` takes them

        def value():
            i = next(index)
            return RANDOM.choice(chosen.setdefault((i // columns // size, i % columns), RANDOM.choice(choices)))
        return value
    return weights


def real(scale):
    return lambda: f"{RANDOM.uniform(-scale, scale):.6f}"


class Module:
    def __init__(self):
        self.inputs, self.outputs, self.kept, self.text = [], [], [], ""

    def input(self, shape, element):
        name = f"%in{len(self.inputs)}"
        self.inputs.append((name, extents(shape, element)))
        return name

    def output(self, name, shape, element):
        self.outputs.append((name, extents(shape, element)))
        self.kept.append((name, shape, element))

    def write(self, batch=None):
        if batch:
            self.text = self.text.replace("<?x", f"<{batch}x").replace("tensor.empty(%batch)", "tensor.empty()").replace("[%batch,", f"[{batch},")
            fixed = [[(name, kind.replace("<?x", f"<{batch}x")) for name, kind in pairs] for pairs in (self.inputs, self.outputs)]
            self.inputs, self.outputs = fixed
        dims = {5: "unit, unit, unit, unit", 4: "unit, unit, unit", 2: "unit"}
        arguments = ", ".join(
            f'{name}: {kind} {{halftone.name = "{name[1:]}"' + ("}" if batch else f', halftone.dims = [#halftone.dim<"batch", 1, 3>, '
            f'{dims[kind.count("x")]}]}}') for name, kind in self.inputs)
        results = ", ".join(f'{kind} {{halftone.name = "{name[1:]}"}}' for name, kind in self.outputs)
        first, kind = self.inputs[0]
        print("#id4 = affine_map<(n, h, w, c) -> (n, h, w, c)>\n#c4 = affine_map<(n, h, w, c) -> (c)>\n"
              "#id3 = affine_map<(n, h, c) -> (n, h, c)>\n#r4 = affine_map<(n, h, w, c) -> (n, h, w)>\n"
              "#id2 = affine_map<(n, c) -> (n, c)>\n#c2 = affine_map<(n, c) -> (c)>")
        print(f'module attributes {{halftone.source_hash = "kernels"}} {{\nfunc.func @main({arguments}) -> ({results}) {{')
        print(f"  %c0 = arith.constant 0 : index\n  %batch = tensor.dim {first}, %c0 : {kind}")
        print("  %zero = arith.constant 0 : i32\n  %fzero = arith.constant 0.0 : f32\n  %pad = arith.constant -5 : i8")
        print(self.text, end="")
        print(f"  return {', '.join(n for n, _ in self.outputs)} : {', '.join(k for _, k in self.outputs)}\n}}\n}}")


def generic(rank, operands, result, body):
    """An elementwise generic; operands are (name, type, argument, per channel)."""
    maps = ", ".join([f"#c{rank}" if o[3] else f"#id{rank}" for o in operands] + [f"#id{rank}"])
    parallel = ", ".join(['"parallel"'] * rank)
    arguments = ", ".join([f"{o[2]}: {o[1].split('x')[-1].rstrip('>')}" for o in operands] +
                          [f"%o: {result.split('x')[-1].rstrip('>')}"])
    return (f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{parallel}]}} ins("
            f"{', '.join(o[0] for o in operands)} : {', '.join(o[1] for o in operands)}) outs(%INIT : {result}) {{\n"
            f"  ^bb0({arguments}):\n{body}  }} -> {result}\n")


REQUANTIZE = """    %s0 = arith.addi %a, %b : i32
    %s1 = arith.sitofp %s0 : i32 to f32
    %s2 = arith.mulf %s1, %m : f32
{residual}    %lo = arith.constant {low} : f32
    %hi = arith.constant {high} : f32
    %z = arith.constant {zero} : i32
    %p0 = arith.cmpf ogt, {value}, %lo : f32
    %t0 = arith.select %p0, {value}, %lo : f32
    %p1 = arith.cmpf olt, %t0, %hi : f32
    %t1 = arith.select %p1, %t0, %hi : f32
    %t2 = math.roundeven %t1 : f32
    %t3 = arith.fptosi %t2 : f32 to i32
    %t4 = arith.addi %t3, %z : i32
    %t5 = arith.trunci %t4 : i32 to i8
    linalg.yield %t5 : i8
"""
# Bounds and zero points: all codes, a Relu, and clips that leave codes out on one side or both.
CLAMPS = [(-125.0, 130.0, -3), (0.0, 255.0, -128), (0.0, 201.0, -128), (-10.0, 99.0, 28), (3.0, 255.0, -128),
          (-128.0, 127.0, 0), (-135.0, 60.0, 7)]
RESIDUAL = """    %r0 = arith.extsi %r : i8 to i32
    %r1 = arith.subi %r0, %z : i32
    %r2 = arith.sitofp %r1 : i32 to f32
    %mr = arith.constant 0.75 : f32
    %r3 = arith.mulf %r2, %mr : f32
    %r4 = arith.addf %s2, %r3 : f32
"""


def contraction(m, case, x, kernel, strides=(1, 1), dilations=(1, 1), kind="conv", residual=False, element="i8",
                padding=0, sliced=0, reshaped=False, gain=1.0, source=None, added=None, density=None, values=None):
    """One contraction with its tail. x: H, W, C or C; kernel: KH, KW, OC or OC. With `sliced`, the input is the last C of
    that many channels, and `reshaped` hides the slice behind a unit dimension; `gain` is a factor of the multipliers; `source` and `added` are an earlier case's result as the
    input and the residual, where else there are inputs of the module. `values(shape)` makes a function that gives weights."""
    integer = element == "i8"
    sum_type = "i32" if integer else "f32"
    zero = "%zero" if integer else "%fzero"
    rank = 4 if len(x) == 3 else 2
    unit = (1,) if reshaped else ()
    source = source or m.input((-1, *unit, *x[:-1], sliced or x[-1]), element)
    source_type = extents((-1, *x), element)
    t = ""
    if sliced:
        dims = 4 + len(unit)
        offsets = ", ".join(["0"] * (dims - 1) + [str(sliced - x[2])])
        sizes = ", ".join(["%batch"] + [str(extent) for extent in (*unit, *x)])
        slice_type = extents((-1, *unit, *x), element)
        t += (f"  %{case}_x = tensor.extract_slice {source}[{offsets}] [{sizes}] [{', '.join(['1'] * dims)}] : "
              f"{extents((-1, *unit, *x[:-1], sliced), element)} to {slice_type}\n")
        source = f"%{case}_x"
        if reshaped:
            t += f"  %{case}_y = tensor.collapse_shape {source} [[0, 1], [2], [3], [4]] : {slice_type} into {source_type}\n"
            source = f"%{case}_y"
    if padding:
        wide = (-1, x[0] + 2 * padding, x[1] + 2 * padding, x[2])
        t += (f"  %{case}_p = tensor.pad {source} low[0, {padding}, {padding}, 0] high[0, {padding}, {padding}, 0] {{\n"
              f"  ^bb0(%i: index, %j: index, %k: index, %l: index):\n    tensor.yield "
              f"{'%pad : i8' if integer else '%fzero : f32'}\n  }} : {source_type} to {extents(wide, element)}\n")
        source, source_type, x = f"%{case}_p", extents(wide, element), wide[1:]
    if rank == 2:
        shape, out = (x[0], kernel[0]), (-1, kernel[0])
        name, attributes = "linalg.matmul", ""
    else:
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
        size = [(n - r) // s + 1 for n, r, s in zip(x, reach, strides)]
        out = (-1, *size, x[2] if kind == "depthwise" else kernel[2])
        shape = (*kernel[:2], x[2]) if kind == "depthwise" else (*kernel[:2], x[2], kernel[2])
        name = "linalg.depthwise_conv_2d_nhwc_hwc" if kind == "depthwise" else "linalg.conv_2d_nhwc_hwcf"
        attributes = (f" {{strides = dense<[{strides[0]}, {strides[1]}]> : tensor<2xi64>, dilations = "
                      f"dense<[{dilations[0]}, {dilations[1]}]> : tensor<2xi64>}}")
    channels = out[-1]
    reduction = 1
    for extent in shape[:2] if kind == "depthwise" else shape[:-1]:
        reduction *= extent
    accumulator, result = extents(out, sum_type), extents(out, element)
    rare = rare_weights(shape, density).__next__ if density else None
    t += constant(f"%{case}_w", shape, element, rare or (values(shape) if values else anything(shape) if integer else real(1)))
    t += constant(f"%{case}_b", (channels,), sum_type, (lambda: RANDOM.randint(-9999, 9999)) if integer else real(1))
    t += f"  %{case}_e = tensor.empty(%batch) : {accumulator}\n"
    t += f"  %{case}_f = linalg.fill ins({zero} : {sum_type}) outs(%{case}_e : {accumulator}) -> {accumulator}\n"
    t += (f"  %{case}_a = {name}{attributes} ins({source}, %{case}_w : {source_type}, {extents(shape, element)}) "
          f"outs(%{case}_f : {accumulator}) -> {accumulator}\n")
    t += f"  %{case}_q = tensor.empty(%batch) : {result}\n"
    operands = [(f"%{case}_a", accumulator, "%a", False), (f"%{case}_b", extents((channels,), sum_type), "%b", True)]
    if integer:
        t += constant(f"%{case}_m", (channels,), "f32", lambda: f"{gain * RANDOM.uniform(0.2, 1.0) / (60 * reduction ** 0.5):.8f}")
        operands.append((f"%{case}_m", extents((channels,), "f32"), "%m", True))
    residual = residual or added
    if residual:
        operands.append((added or m.input(out, element), result, "%r", False))
    if integer:
        low, high, zero = CLAMPS[len(m.outputs) % len(CLAMPS)]
        body = REQUANTIZE.format(residual=(f"    %z9 = arith.constant {-128 if added else 5} : i32\n" + RESIDUAL.replace("%z ", "%z9 ")) if residual else "",
                                 value="%r4" if residual else "%s2", low=low, high=high, zero=zero)
    else:
        body = "    %s0 = arith.addf %a, %b : f32\n" + ("    %s1 = arith.addf %s0, %r : f32\n" if residual else "")
        body += f"    %s2 = arith.maximumf {'%s1' if residual else '%s0'}, %fzero : f32\n    linalg.yield %s2 : f32\n"
    t += f"  %{case} = " + generic(rank, operands, result, body).replace("%INIT", f"%{case}_q")
    m.text += t
    m.output(f"%{case}", out, element)


def pooling(m, case, name, x, window, stride, element, result, first, source=None):
    source, source_type = source or m.input((-1, *x), element), extents((-1, *x), element)
    out = (-1, (x[0] - window) // stride + 1, (x[1] - window) // stride + 1, x[2])
    kind = extents(out, result)
    m.text += (f"  %{case}_i = arith.constant {first} : {result}\n  %{case}_e = tensor.empty(%batch) : {kind}\n"
               f"  %{case}_k = tensor.empty() : {extents((window, window), result)}\n"
               f"  %{case}_f = linalg.fill ins(%{case}_i : {result}) outs(%{case}_e : {kind}) -> {kind}\n"
               f"  %{case} = {name} {{strides = dense<{stride}> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}} "
               f"ins({source}, %{case}_k : {source_type}, {extents((window, window), result)}) outs(%{case}_f : {kind}) -> {kind}\n")
    m.output(f"%{case}", out, result)


def lookup(m, case, x, source=None, entry=lambda: RANDOM.randint(-128, 127)):
    kind = extents((-1, *x), "i8")
    source = source or m.input((-1, *x), "i8")
    m.text += constant(f"%{case}_t", (256,), "i8", entry)
    m.text += (f"  %{case}_e = tensor.empty(%batch) : {kind}\n  %{case} = halftone.lookup ins({source}, "
               f"%{case}_t : {kind}, tensor<256xi8>) outs(%{case}_e : {kind}) -> {kind}\n")
    m.output(f"%{case}", (-1, *x), "i8")


def transpose(m, case, x, element):
    kind, out = extents((-1, *x), element), (-1, x[1], x[2], x[0])
    m.text += (f"  %{case}_e = tensor.empty(%batch) : {extents(out, element)}\n  %{case} = linalg.transpose "
               f"ins({m.input((-1, *x), element)} : {kind}) outs(%{case}_e : {extents(out, element)}) permutation = [0, 2, 3, 1]\n")
    m.output(f"%{case}", out, element)


def turned_sum(m, case, x):
    """A sum of a tensor with its channels first, one with its channels last, and one of channels alone."""
    kind, out = extents((-1, *x), "f32"), (-1, x[1], x[2], x[0])
    last = extents(out, "f32")
    m.text += constant(f"%{case}_k", (x[0],), "f32", real(1.0)) + f"  %{case}_e = tensor.empty(%batch) : {last}\n"
    m.text += (f"  %{case} = linalg.generic {{indexing_maps = [affine_map<(n, h, w, c) -> (n, c, h, w)>, #id4, #c4, #id4], "
               f'iterator_types = ["parallel", "parallel", "parallel", "parallel"]}} ins({m.input((-1, *x), "f32")}, {m.input(out, "f32")}, '
               f"%{case}_k : {kind}, {last}, tensor<{x[0]}xf32>) outs(%{case}_e : {last}) {{\n  ^bb0(%a: f32, %b: f32, %k: f32, %o: f32):\n"
               f"    %s0 = arith.mulf %a, %k : f32\n    %s1 = arith.addf %s0, %b : f32\n    linalg.yield %s1 : f32\n  }} -> {last}\n")
    m.output(f"%{case}", out, "f32")


def codes_of_planes(m, case, x):
    """A picture that comes as floats, channels first."""
    kind, codes, out = extents((-1, *x), "f32"), extents((-1, *x), "i8"), (-1, x[1], x[2], x[0])
    body = ("    %k = arith.constant 127.0 : f32\n    %s0 = arith.mulf %a, %k : f32\n    %s1 = math.roundeven %s0 : f32\n"
            "    %s2 = arith.fptosi %s1 : f32 to i32\n    %s3 = arith.trunci %s2 : i32 to i8\n    linalg.yield %s3 : i8\n")
    source = m.input((-1, *x), "f32")
    m.text += f"  %{case}_q = tensor.empty(%batch) : {codes}\n"
    m.text += f"  %{case}_c = " + generic(4, [(source, kind, "%a", False)], codes, body).replace("%INIT", f"%{case}_q")
    m.text += (f"  %{case}_e = tensor.empty(%batch) : {extents(out, 'i8')}\n  %{case} = linalg.transpose "
               f"ins(%{case}_c : {codes}) outs(%{case}_e : {extents(out, 'i8')}) permutation = [0, 2, 3, 1]\n")
    m.output(f"%{case}", out, "i8")


def chain(m, e, element):
    """Results that only the next kernel sees, so that they are stored as it likes: padded, pooled, looked up, added."""
    inner = Module()
    inner.inputs = m.inputs
    contraction(inner, e + "c0", (7, 9, 6), (1, 1, 35), element=element)
    contraction(inner, e + "c1", (7, 9, 35), (3, 3), kind="depthwise", element=element, padding=1, source=f"%{e}c0")
    contraction(inner, e + "c2", (7, 9, 35), (1, 1, 35), element=element, source=f"%{e}c1", added=f"%{e}c0")
    last = f"%{e}c2"
    if element == "i8":
        lookup(inner, e + "c3", (7, 9, 35), source=last)
        pooling(inner, e + "c4", "linalg.pooling_nhwc_max", (7, 9, 35), 3, 2, "i8", "i8", -128, source=f"%{e}c3")
        contraction(inner, e + "c5", (3, 4, 35), (3, 2, 18), element=element, source=f"%{e}c4")
        last = f"%{e}c5"
    m.text += inner.text
    m.output(last, *next((shape, kind) for name, shape, kind in inner.kept if name == last))


def joined(m, e, element):
    """Two results concatenated along the channels, which a padded and an unpadded kernel read."""
    inner = Module()
    inner.inputs = m.inputs
    contraction(inner, e + "j0", (7, 9, 6), (1, 1, 20), element=element)
    contraction(inner, e + "j1", (7, 9, 6), (3, 3, 20), element=element, padding=1)
    part, whole = extents((-1, 7, 9, 20), element), extents((-1, 7, 9, 40), element)
    inner.text += f"  %{e}j = tensor.concat dim(3) %{e}j0, %{e}j1 : ({part}, {part}) -> {whole}\n"
    contraction(inner, e + "j2", (7, 9, 40), (3, 3, 48), element=element, padding=1, source=f"%{e}j")
    contraction(inner, e + "j3", (7, 9, 40), (1, 1, 34), element=element, source=f"%{e}j")
    m.text += inner.text
    for name, shape, kind in inner.kept[2:]:
        m.output(name, shape, kind)


def planes(m, case, x, points, density):
    """Sparse kernels in a row, whose results have a plane for each channel: read as inputs and as residuals."""
    inner = Module()
    inner.inputs = m.inputs
    height, width = x[0] - 2, x[1] - 2
    contraction(inner, case + "0", x, (3, 3, points[0]), density=density)
    contraction(inner, case + "1", (height, width, points[0]), (1, 1, points[1]), density=density, source=f"%{case}0")
    contraction(inner, case + "2", (height, width, points[1]), (1, 1, points[0]), density=density, source=f"%{case}1", added=f"%{case}0")
    contraction(inner, case + "3", (height, width, points[0]), (1, 1, points[1]), density=density, source=f"%{case}2", added=f"%{case}1")
    m.text += inner.text
    m.output(*inner.kept[-1])


ROUNDED = """    %k = arith.constant 100.0 : f32
    %lo = arith.constant {low} : f32
    %hi = arith.constant 127.0 : f32
    %s0 = arith.mulf %a, %k : f32
    %p0 = arith.cmpf ogt, %s0, %lo : f32
    %t0 = arith.select %p0, %s0, %lo : f32
    %p1 = arith.cmpf olt, %t0, %hi : f32
    %t1 = arith.select %p1, %t0, %hi : f32
    %t2 = math.roundeven %t1 : f32
    %t3 = arith.fptosi %t2 : f32 to i32
    %t4 = arith.trunci %t3 : i32 to i8
    linalg.yield %t4 : i8
"""
SCALED = "    %s0 = arith.sitofp %a : i32 to f32\n    %s1 = arith.mulf %s0, %k : f32\n    linalg.yield %s1 : f32\n"


def product(m, case, heads, rows, reduction, columns, element, keys, zero=0, right_zero=0, least=-127.0, given=False, left=None):
    """A product of two activations, as in attention: of queries and keys, with a result in floats, or of scores and values, with codes, whose
    heads come back together. The factors are made by kernels, the right one with codes from `least` on, or `given` by the caller; or `left` is an earlier
    result, (name, type), with the heads outside."""
    integer, total = element == "i8", "i32" if element == "i8" else "f32"

    def factor(name, shape, low, order):
        source = m.input((-1, *shape), element if given else "f32")
        kind = extents((-1, *shape), element)
        if integer and not given:
            m.text += f"  %{case}_{name}i = tensor.empty(%batch) : {kind}\n  %{case}_{name}c = " + generic(
                4, [(source, extents((-1, *shape), "f32"), "%a", False)], kind, ROUNDED.format(low=low)).replace("%INIT", f"%{case}_{name}i")
            source = f"%{case}_{name}c"
        moved = tuple((-1, *shape)[d] for d in order)
        joined = (-1, *moved[2:])
        m.text += (f"  %{case}_{name}e = tensor.empty(%batch) : {extents(moved, element)}\n  %{case}_{name}t = linalg.transpose ins({source} : {kind}) "
                   f"outs(%{case}_{name}e : {extents(moved, element)}) permutation = {list(order)}\n"
                   f"  %{case}_{name} = tensor.collapse_shape %{case}_{name}t [[0, 1], [2], [3]] : {extents(moved, element)} into {extents(joined, element)}\n")
        return f"%{case}_{name}", extents(joined, element)

    if left:
        left_type = extents((-1, rows, reduction), element)
        m.text += f"  %{case}_l = tensor.collapse_shape {left[0]} [[0, 1], [2], [3]] : {left[1]} into {left_type}\n"
        left = f"%{case}_l"
    else:
        left, left_type = factor("l", (rows, heads, reduction), -128.0, (0, 2, 1, 3))
    right, right_type = factor("r", (columns, heads, reduction) if keys else (reduction, heads, columns), least, (0, 2, 3, 1) if keys else (0, 2, 1, 3))
    sums, out = extents((-1, rows, columns), total), "i8" if integer and not keys else "f32"
    apart, result = extents((-1, heads, rows, columns), out), extents((-1, rows, columns), out)
    t = f"  %{case}_h = arith.constant {heads} : index\n  %{case}_n = arith.muli %batch, %{case}_h : index\n"
    t += f"  %{case}_e = tensor.empty(%{case}_n) : {sums}\n"
    t += f"  %{case}_f = linalg.fill ins({'%zero' if integer else '%fzero'} : {total}) outs(%{case}_e : {sums}) -> {sums}\n"
    if integer:
        t += f"  %{case}_za = arith.constant {zero} : i32\n  %{case}_zb = arith.constant {right_zero} : i32\n"
        t += (f"  %{case}_a = linalg.quantized_batch_matmul ins({left}, {right}, %{case}_za, %{case}_zb : {left_type}, {right_type}, i32, i32) "
              f"outs(%{case}_f : {sums}) -> {sums}\n")
    else:
        t += f"  %{case}_a = linalg.batch_matmul ins({left}, {right} : {left_type}, {right_type}) outs(%{case}_f : {sums}) -> {sums}\n"
    value = f"%{case}_a"
    if integer:
        body = f"    %k = arith.constant {0.02 / reduction ** 0.5:.8f} : f32\n" + SCALED
        if not keys:
            body = body.replace("    linalg.yield %s1 : f32\n", ROUNDED.format(low=-128.0).replace("    %k = arith.constant 100.0 : f32\n", "")
                                .replace("    %s0 = arith.mulf %a, %k : f32\n", "").replace("%s0", "%s1"))
        t += f"  %{case}_q = tensor.empty(%{case}_n) : {result}\n  %{case}_g = " + generic(
            3, [(value, sums, "%a", False)], result, body).replace("%INIT", f"%{case}_q")
        value = f"%{case}_g"
    t += (f"  %{case}_x = tensor.expand_shape {value} [[0, 1], [2], [3]] output_shape [%batch, {heads}, {rows}, {columns}] : "
          f"{result} into {apart}\n")
    if keys:
        m.text += t
        return m.output(f"%{case}_x", (-1, heads, rows, columns), out)
    last = extents((-1, rows, heads, columns), out)
    t += (f"  %{case}_y = tensor.empty(%batch) : {last}\n  %{case} = linalg.transpose ins(%{case}_x : {apart}) outs(%{case}_y : {last}) "
          f"permutation = [0, 2, 1, 3]\n")
    m.text += t
    m.output(f"%{case}", (-1, rows, heads, columns), out)


def attention(m, case, heads, tokens, size, element):
    """Scores, their greatest of each row, what is left of them, its sum, shares of it as codes, and the product with the values: a kernel of its own."""
    integer, total = element == "i8", "i32" if element == "i8" else "f32"
    inner = Module()
    inner.inputs = m.inputs
    product(inner, case + "_s", heads, tokens, size, tokens, element, keys=True, zero=-3)
    scores, sums, rows = extents((-1, heads, tokens, tokens), "f32"), extents((-1, tokens, size), total), extents((-1, heads, tokens), "f32")
    codes = extents((-1, heads, tokens, tokens), element)
    t, last = inner.text, f"%{case}_s_x"
    t += f"  %{case}_low = arith.constant 0xFF800000 : f32\n"
    for name, first, region in (("max", f"%{case}_low", "arith.maximumf"), ("sum", "%fzero", "arith.addf")):
        if name == "sum":
            t += (f"  %{case}_pe = tensor.empty(%batch) : {scores}\n  %{case}_p = linalg.generic {{indexing_maps = [#id4, #r4, #id4], iterator_types = "
                  f"[\"parallel\", \"parallel\", \"parallel\", \"parallel\"]}} ins({last}, %{case}_max : {scores}, {rows}) outs(%{case}_pe : {scores}) {{\n"
                  f"  ^bb0(%a: f32, %b: f32, %o: f32):\n    %k = arith.constant 2.0 : f32\n    %d = arith.subf %a, %b : f32\n    %q = arith.subf %k, %d : f32\n"
                  f"    %s = arith.divf %k, %q : f32\n    linalg.yield %s : f32\n  }} -> {scores}\n")
            last = f"%{case}_p"
        t += f"  %{case}_{name}e = tensor.empty(%batch) : {rows}\n"
        t += f"  %{case}_{name}f = linalg.fill ins({first} : f32) outs(%{case}_{name}e : {rows}) -> {rows}\n"
        t += (f"  %{case}_{name} = linalg.generic {{indexing_maps = [#id4, #r4], iterator_types = [\"parallel\", \"parallel\", \"parallel\", \"reduction\"]}} "
              f"ins({last} : {scores}) outs(%{case}_{name}f : {rows}) {{\n  ^bb0(%a: f32, %o: f32):\n    %s = {region} %o, %a : f32\n    linalg.yield %s : f32\n"
              f"  }} -> {rows}\n")
    body = "    %v = arith.divf %a, %b : f32\n" + (ROUNDED.format(low=0.0).replace("%a, %k", "%v, %k") if integer else "    linalg.yield %v : f32\n")
    t += (f"  %{case}_ce = tensor.empty(%batch) : {codes}\n  %{case}_c = linalg.generic {{indexing_maps = [#id4, #r4, #id4], iterator_types = "
          f"[\"parallel\", \"parallel\", \"parallel\", \"parallel\"]}} ins({last}, %{case}_sum : {scores}, {rows}) outs(%{case}_ce : {codes}) {{\n"
          f"  ^bb0(%a: f32, %b: f32, %o: {element}):\n{body}  }} -> {codes}\n")
    m.text += t
    product(m, case, heads, tokens, tokens, size, element, keys=False, left=(f"%{case}_c", codes))


def few():
    m = Module()
    for name, values in (("sixteen", levels(16, -127, 0, 127)), ("four", levels(4, -127, 0, 127)), ("eight", levels(8, -127, 0, 127)),
                         ("thirty", levels(30, -127, 0, 127)), ("sixty", levels(60, -128, 0, 127)),
                         ("hundred", levels(120, -128, 0, 127)), ("grouped", groups(32)), ("grouped_in_three", groups(32, 3))):
        contraction(m, name + "_square", (7, 8, 9), (3, 3, 67), residual=True, padding=1, values=values)
        contraction(m, name + "_oblong", (9, 7, 32), (5, 2, 17), dilations=(1, 2), values=values)
        contraction(m, name + "_sliced", (6, 7, 5), (3, 3, 18), sliced=11, values=values)
        contraction(m, name + "_sliced_words", (6, 7, 32), (3, 2, 40), sliced=35, values=values)
        contraction(m, name + "_points", (9, 11, 64), (1, 1, 100), residual=True, values=values)
        contraction(m, name + "_sparse_points", (7, 7, 160), (1, 1, 39), (2, 2), values=values)
        contraction(m, name + "_matrix", (200,), (171,), values=values)
    contraction(m, "no_zero", (9, 11, 64), (1, 1, 67), values=levels(16, -127, 127))
    contraction(m, "no_zero_matrix", (68,), (70,), values=levels(16, -127, 127))
    contraction(m, "long_groups", (517,), (70,), values=groups(128))
    contraction(m, "short_groups", (7, 9, 16), (3, 3, 70), padding=1, values=groups(16))
    contraction(m, "tabled_matrix", (200,), (171,), values=tables(8))
    contraction(m, "tabled_rest", (517,), (70,), values=tables(8))
    contraction(m, "tabled_points", (9, 11, 64), (1, 1, 100), residual=True, values=tables(16, 3))
    contraction(m, "tabled_square", (7, 9, 16), (3, 3, 70), padding=1, values=tables(8, 5))
    contraction(m, "tabled_oblong", (9, 7, 32), (5, 2, 17), dilations=(1, 2), values=tables(8, 2))
    contraction(m, "tabled_sliced_words", (6, 7, 32), (3, 2, 40), sliced=35, values=tables(32))
    m.write()


def products(m, element, e):
    """Products of two activations; heads join the batch, so it is a dynamic one."""
    # Blocks of all sizes that are transposed while packing, a reduction that ends within a word, several panels.
    product(m, e + "keys", 3, 37, 32, 37, element, keys=True, zero=-7)
    product(m, e + "short_keys", 2, 5, 13, 19, element, keys=True)
    product(m, e + "long_keys", 1, 17, 126, 150, element, keys=True, zero=127)
    product(m, e + "given_keys", 2, 9, 18, 20, element, keys=True, zero=3, given=True)
    product(m, e + "values", 3, 37, 37, 32, element, keys=False, zero=-128)
    product(m, e + "wide_values", 2, 11, 6, 91, element, keys=False, zero=5)
    # Several blocks of rows, of which the last is lower; rows of an odd length.
    attention(m, e + "attention", 3, 150, 16, element)
    attention(m, e + "short_attention", 2, 37, 12, element)


def main(elements=("i8", "f32"), batch=None, more=None):
    m = Module()
    for element in elements:
        e = element[0]
        contraction(m, e + "first", (9, 11, 3), (3, 3, 20), (2, 2), element=element, padding=1)
        # Rows of a window that are one byte longer than their steps: the last bytes make steps of their own.
        contraction(m, e + "stem", (17, 15, 3), (7, 7, 37), (2, 2), element=element, padding=3)
        contraction(m, e + "sliced_rests", (6, 7, 7), (3, 3, 18), element=element, sliced=11)
        contraction(m, e + "square", (7, 8, 9), (3, 3, 67), residual=True, element=element, padding=1)
        contraction(m, e + "oblong", (9, 7, 5), (5, 2, 17), dilations=(1, 2), element=element)
        contraction(m, e + "sliced", (6, 7, 5), (3, 3, 18), element=element, sliced=11)
        contraction(m, e + "sliced_reshaped", (6, 7, 5), (3, 3, 18), element=element, sliced=11, reshaped=True)
        contraction(m, e + "sliced_words", (6, 7, 8), (3, 2, 18), element=element, sliced=11)
        contraction(m, e + "points", (5, 5, 26), (1, 1, 100), residual=True, element=element)
        contraction(m, e + "sparse_points", (7, 7, 12), (1, 1, 33), (2, 2), element=element)
        contraction(m, e + "matrix", (37,), (70,), element=element)
        # Rows so short that a tile takes several of them, with one left over; the second has several parts.
        contraction(m, e + "bands", (11, 7, 21), (3, 3, 41), residual=True, element=element, padding=1)
        contraction(m, e + "tall", (130, 5, 4), (3, 3, 18), element=element)
        # So few positions that panels are wide.
        contraction(m, e + "few", (2, 3, 61), (1, 1, 150), residual=True, element=element)
        contraction(m, e + "scores", (129,), (10,), element=element)
        # Multipliers above 1: reals that no i32 is sure to hold.
        contraction(m, e + "loud", (3, 3, 5), (1, 1, 70), element=element, gain=1e6)
        contraction(m, e + "depthwise", (7, 9, 67), (3, 3), kind="depthwise", residual=True, element=element, padding=1)
        contraction(m, e + "depthwise_strided", (11, 9, 24), (5, 5), (2, 2), kind="depthwise", element=element, padding=2)
        # Blocks of 64, 32 and 16 channels, an even number of rows.
        contraction(m, e + "depthwise_wide", (8, 6, 112), (5, 5), kind="depthwise", element=element, padding=2)
        contraction(m, e + "depthwise_dilated", (9, 9, 5), (3, 2), (1, 1), (2, 3), kind="depthwise", element=element)
        transpose(m, e + "channels_last", (3, 7, 19), element)
        transpose(m, e + "turned", (37, 7, 19), element)
        chain(m, e, element)
        # A reduction that is unrolled, in several tiles; one that is not, of which tiles share the next panel out.
        contraction(m, e + "short", (6, 29, 23), (1, 1, 41), residual=True, element=element)
        contraction(m, e + "shared", (7, 7, 70), (1, 1, 73), element=element)
        if batch is None:
            products(m, element, e)
    if batch is None:
        # Right factors that the dots of some instruction sets cannot take.
        product(m, "lowest_keys", 2, 9, 20, 21, "i8", keys=True, zero=-128, least=-128.0)
        product(m, "moved_values", 2, 9, 20, 21, "i8", keys=False, zero=-3, right_zero=9)
    # Several parts, of which the last one ends with columns that make no vector.
    transpose(m, "turned_parts", (300, 9, 25), "i8")
    turned_sum(m, "turned_sum", (21, 5, 7))
    for channels in (2, 3, 4, 5, 21):
        codes_of_planes(m, f"picture{channels}", (channels, 3, 71))
    # Mostly zeros: one position after the other, in groups of 4 of short rows, with strides; several chunks of one tap.
    contraction(m, "rare", (9, 9, 36), (3, 3, 69), residual=True, padding=1, density=0.06)
    contraction(m, "rare_rows", (9, 12, 28), (3, 3, 66), padding=1, density=0.06)
    contraction(m, "rare_strided", (15, 19, 20), (3, 3, 130), (2, 2), (1, 2), padding=1, density=0.06)
    contraction(m, "rare_points", (7, 7, 560), (1, 1, 67), residual=True, density=0.04)
    # Several tiles, of which the last one ends with a vector of 4 positions.
    contraction(m, "rare_tiles", (14, 14, 128), (1, 1, 80), residual=True, density=0.04)
    # The last vector of a plane is short; several chunks.
    planes(m, "planes", (9, 9, 32), (560, 72), density=0.04)
    planes(m, "high_planes", (16, 17, 24), (132, 96), density=0.05)
    pooling(m, "maximum", "linalg.pooling_nhwc_max", (9, 9, 21), 3, 2, "i8", "i8", -128)
    pooling(m, "sum", "linalg.pooling_nhwc_sum", (5, 5, 37), 5, 1, "i8", "i32", 0)
    pooling(m, "float_maximum", "linalg.pooling_nhwc_max", (7, 7, 19), 2, 2, "f32", "f32", "0xFF800000")
    lookup(m, "table", (3, 5, 29))
    for element in elements:
        joined(m, element[0], element)
    if more:
        more(m)
    m.write(batch)


def row():
    m = Module()
    for name, values in (("sixteen", levels(16, -127, 0, 127)), ("grouped", groups(32)), ("grouped_in_three", groups(32, 3)),
                         ("grouped_in_two", groups(32, 2, range(60))), ("long_groups", groups(128)), ("short_groups", groups(16)),
                         ("integers", lambda shape: lambda: RANDOM.randint(-8, 7)), ("signs", lambda shape: lambda: RANDOM.randint(-2, 1)),
                         ("tabled", tables(8)), ("tabled_in_three", tables(16, 3))):
        contraction(m, name + "_row", (200,), (171,), values=values)
        contraction(m, name + "_short_row", (70,), (17,), values=values)
        # Its input is what a kernel stores.
        contraction(m, name + "_second_row", (171,), (70,), values=values, source=f"%{name}_row")
    m.write(batch=1)


def windows():
    m = Module()
    def lowest(shape):
        return lambda: RANDOM.choice([-128, -128, -128, RANDOM.randint(-128, 127)])
    # Odd and even numbers of rows and columns; panels that are full, and that are not.
    contraction(m, "odd", (7, 9, 16), (3, 3, 24), residual=True, padding=1)
    contraction(m, "even", (8, 6, 48), (3, 3, 32), padding=1)
    contraction(m, "odd_columns", (12, 5, 16), (3, 3, 16), padding=1)
    contraction(m, "odd_rows", (7, 14, 32), (3, 3, 40), residual=True)
    contraction(m, "one_tile", (4, 4, 16), (3, 3, 5))
    # Channels that are no whole vectors.
    contraction(m, "vectors", (7, 8, 40), (3, 3, 40), residual=True, padding=1)
    contraction(m, "pieces", (8, 7, 30), (3, 3, 18), padding=1)
    contraction(m, "narrow", (7, 7, 8), (3, 3, 16), padding=1)
    # Several blocks of rows of tiles, each a part or more; several parts of panels.
    contraction(m, "blocks", (64, 36, 16), (3, 3, 40), padding=1)
    contraction(m, "block_parts", (32, 100, 8), (3, 3, 16), padding=1)
    contraction(m, "parts", (6, 6, 64), (3, 3, 150), padding=1)
    # The greatest sums, and weights that dots of bytes cannot take.
    contraction(m, "lowest", (5, 6, 32), (3, 3, 17), padding=1, values=lowest)
    contraction(m, "extreme", (5, 6, 32), (3, 3, 17), padding=1, values=lambda shape: lambda: RANDOM.choice([-128, 127, RANDOM.randint(-128, 127)]))
    # Sums so great that their multiple leaves nothing of 32 bits, of inputs and weights of one sign.
    for name, entry in (("highest", 127), ("lowest_codes", -128)):
        lookup(m, name + "_table", (5, 5, 228), entry=lambda: entry)
        for sign, weight in (("up", 127), ("down", -127)):
            contraction(m, f"{name}_{sign}", (5, 5, 228), (3, 3, 5), source=f"%{name}_table", values=lambda shape: lambda: weight)
    inner = Module()
    inner.inputs = m.inputs
    contraction(inner, "before", (7, 9, 32), (3, 3, 32), padding=1)
    contraction(inner, "after", (7, 9, 32), (3, 3, 48), padding=1, source="%before")
    # Stored unsigned where another kernel wants it.
    contraction(inner, "other", (7, 9, 32), (1, 1, 48), source="%before")
    m.text += inner.text
    for kept in inner.kept[-2:]:
        m.output(*kept)
    # Those that stay with other kernels: strides, dilations, few or odd channels, one row.
    contraction(m, "strided", (9, 9, 16), (3, 3, 16), (2, 2), padding=1)
    contraction(m, "dilated", (9, 9, 16), (3, 3, 16), (1, 1), (2, 2))
    contraction(m, "few", (7, 7, 6), (3, 3, 16), padding=1)
    contraction(m, "odd_channels", (7, 7, 17), (3, 3, 16), padding=1)
    contraction(m, "flat", (3, 9, 16), (3, 3, 16))
    # F(2x2, 3x3) alone holds its sums.
    contraction(m, "loud", (6, 6, 232), (3, 3, 5), values=lambda shape: lambda: RANDOM.choice([-127, 127]))
    m.write()


def integers(batch=None):
    main(("i8",), batch)


def narrow(most):
    global MOST
    MOST = most
    main(("i8",), more=lambda m: extremes(m, 37, lambda shape: iter([RANDOM.choice([-1, 1]) * MOST] * math.prod(shape)).__next__,
                                          lambda shape: lambda: RANDOM.choice([-MOST, MOST])))


def narrow_pairs(bound):
    global MOST, anything
    MOST, anything = bound - 1, pairs(bound)

    def of_one_sign(shape):
        sign = RANDOM.choice([-1, 1])
        return pairs(bound, sign=lambda: sign)(shape)
    main(("i8",), more=lambda m: extremes(m, 38, of_one_sign, pairs(bound, sign=lambda: RANDOM.choice([-1, 1]))))


def extremes(m, channels, signs, either):
    """All activations have the largest magnitude, of one sign throughout or of any, and all weights, or their pairs."""
    for name, entry in (("highest", lambda: 127), ("lowest", lambda: -128), ("either", lambda: RANDOM.choice([-128, 127]))):
        for kind, values in (("sign", signs), ("signs", either)):
            case = f"{name}_{kind}"
            lookup(m, case + "_table", (7, 6, channels), entry=entry)
            contraction(m, case + "_points", (7, 6, channels), (1, 1, 41), source=f"%{case}_table", values=values)
            contraction(m, case + "_window", (7, 6, channels), (3, 2, 19), source=f"%{case}_table", values=values)


{"": main, "integers": integers, "integers two": lambda: integers(2), "few": few, "few row": row, "windows": windows,
 "narrow 64": lambda: narrow(64), "narrow 32": lambda: narrow(32), "pairs 128": lambda: narrow_pairs(128), "pairs 64": lambda: narrow_pairs(64)}[" ".join(sys.argv[1:])]()
