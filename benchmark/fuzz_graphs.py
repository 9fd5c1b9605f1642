"""Random small ONNX graphs: `make_graph(seed)` gives the same graph for the same seed, whatever the platform.

OPERATORS is the table: of each operator how often it is drawn, the opset from which it is drawn, and what draws its inputs and attributes. A value is
(name, element type, shape); in a graph with a symbolic batch the leading size of every value that depends on an input is that batch, written 1 here, and
operators leave that dimension alone. The file needs NumPy alone.
"""

import dataclasses
import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "test/Import/Inputs"))
from make_model import Model  # noqa: E402

DTYPES = {"f32": np.float32, "i8": np.int8, "u8": np.uint8, "i32": np.int32, "i64": np.int64, "bool": np.bool_}
CODES = {"f32": 1, "u8": 2, "i8": 3, "i32": 6, "i64": 7, "bool": 9}
SIZES = (1, 1, 2, 3, 4, 5, 7, 8, 16, 17, 33)
MOST_ELEMENTS = 6000
NUMBERS = ("f32", "i64", "i32")


@dataclasses.dataclass(frozen=True)
class Value:
    name: str
    kind: str
    shape: tuple
    batched: bool = False

    @property
    def rank(self):
        return len(self.shape)

    @property
    def count(self):
        return int(np.prod(self.shape, dtype=int))

    @property
    def axes(self):
        """Those that an operator may work along."""
        return list(range(int(self.batched), self.rank))


class Declined(Exception):
    """The operator does not fit what there is."""


class Graph:
    def __init__(self, seed, quantized=None):
        self.seed, self.random = seed, np.random.default_rng(seed)
        self.opset = int(self.random.integers(11, 22))
        self.batched = bool(self.random.random() < 0.3)
        self.quantized = bool(self.random.random() < 0.08) if quantized is None else quantized
        self.inputs, self.constants, self.nodes, self.values, self.outputs = [], {}, [], [], []
        self.scales, self.limits = {}, {}
        self.count = 0

    # Draws.

    def chance(self, share):
        return self.random.random() < share

    def choose(self, items):
        items = list(items)
        if not items:
            raise Declined
        return items[int(self.random.integers(len(items)))]

    def integer(self, low, high):
        return int(self.random.integers(low, high + 1))

    def size(self):
        return self.choose(SIZES)

    def shape(self, rank):
        """Of an input: pictures, sequences and rows of usual proportions, and anything."""
        lead = 1 if self.batched or self.chance(0.6) else self.choose((2, 3, 5))
        while True:
            rest = tuple(self.size() for _ in range(rank - 1))
            if self.chance(0.5) and rank == 4:
                side = self.choose((5, 7, 8, 9, 16, 17))
                rest = (self.choose((1, 3, 4, 8, 16, 17)), side, side if self.chance(0.7) else self.size())
            if lead * int(np.prod(rest, dtype=int)) <= MOST_ELEMENTS // 2:
                return (lead,) + rest

    # The graph.

    def name(self):
        self.count += 1
        return f"v{self.count}"

    def input(self, kind, shape, high=None):
        value = Value(self.name(), kind, tuple(shape), self.batched)
        self.inputs.append(value)
        self.limits[value.name] = high
        self.scales[value.name] = (float(self.choose((0.1, 1, 1, 1, 1, 10))), float(self.choose((0, 0, 0, 1, -2))))
        self.values.append(value)
        return value

    def constant(self, array, kind="f32"):
        array = np.asarray(array).astype(DTYPES[kind])
        value = Value(self.name(), kind, array.shape)
        self.constants[value.name] = array
        return value

    def weights(self, *shape, fan=None):
        fan = fan or (int(np.prod(shape[1:])) if len(shape) > 1 else 1)
        return self.constant(self.random.normal(size=shape) / np.sqrt(fan))

    def integers(self, numbers, kind="i64"):
        return self.constant(np.array(numbers, np.int64), kind)

    def add(self, operator, inputs, kind, shape, **attributes):
        """The value of a new node; `kind` and `shape` may be lists for several outputs."""
        several = isinstance(shape, list)
        shapes = shape if several else [shape]
        kinds = kind if isinstance(kind, list) else [kind] * len(shapes)
        if any(int(np.prod(s, dtype=int)) > MOST_ELEMENTS or min(s, default=1) < 1 for s in shapes):
            raise Declined
        batched = any(v is not None and v.batched for v in inputs)
        results = [Value(self.name(), k, tuple(int(n) for n in s), batched) for k, s in zip(kinds, shapes)]
        self.nodes.append((operator, [v.name if v is not None else "-" for v in inputs], [v.name for v in results], attributes))
        self.values += results
        return results if several else results[0]

    def pick(self, kinds=("f32",), ranks=(1, 2, 3, 4, 5), fits=lambda v: True, fresh=0.12):
        """A value there is, the later the likelier; or a new input."""
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        found = [v for v in self.values if v.kind in kinds and v.rank in ranks and fits(v)]
        if not found or (self.chance(fresh) and len(self.inputs) < 4):
            if len(self.inputs) >= 5:
                raise Declined
            kind, rank = self.choose(kinds), self.choose([r for r in ranks if r > 0])
            value = Value("", kind, self.shape(rank), self.batched)
            if not fits(value):
                raise Declined
            return self.input(kind, value.shape)
        last = len(found) - 1
        return found[max(self.integer(0, last), self.integer(0, last))]

    def partner(self, a, kinds=None):
        """A second operand that broadcasts with `a`: a value of the graph, a new input, or a constant."""
        kinds = kinds or (a.kind,)
        found = [v for v in self.values if v.kind in kinds and broadcast(a, v) is not None and v is not a]
        if found and self.chance(0.6):
            return self.choose(found[-8:])
        shape = a.shape
        if self.chance(0.5):
            shape = tuple(1 if self.chance(0.4) else n for n in shape)
        if self.batched and self.chance(0.4) and len(self.inputs) < 4:
            return self.input(kinds[0], (1,) + shape[1:]) if shape else self.data((), kinds[0])
        if not self.batched and self.chance(0.25) and len(self.inputs) < 4 and shape:
            return self.input(kinds[0], shape)
        if self.batched or self.chance(0.5):
            shape = shape[self.integer(int(self.batched and a.rank > 0), len(shape)):]
        return self.data(shape, kinds[0])

    def data(self, shape, kind="f32"):
        """A constant of random elements."""
        if kind == "f32":
            return self.constant(self.random.normal(size=shape) * self.choose((0.3, 1, 2)))
        if kind == "bool":
            return self.constant(self.random.random(shape) < 0.5, kind)
        return self.constant(self.random.integers(0 if kind == "u8" else -9, 10, shape), kind)

    # What becomes of it.

    def finish(self):
        used = {name for _, inputs, _, _ in self.nodes for name in inputs}
        made = [v for v in self.values if v not in self.inputs]
        self.outputs = [v.name for v in made if v.name not in used]
        inner = [v.name for v in made if v.name in used]
        self.outputs += [name for name in inner if self.chance(0.12)]
        self.inputs = [v for v in self.inputs if v.name in used]

    def serialize(self):
        model = Model()
        model.opset(self.opset)
        for v in self.inputs:
            model.input(v.name, v.kind, (["batch"] if v.batched else [v.shape[0]]) + list(v.shape[1:]))
        for name, array in self.constants.items():
            kind = next(k for k, t in DTYPES.items() if t == array.dtype)
            model.constant(name, kind, array.shape, array.ravel().tolist())
        for i, (operator, inputs, outputs, attributes) in enumerate(self.nodes):
            given = {key: value for key, value in attributes.items() if value is not None}
            model.node(operator, " ".join(inputs), " ".join(outputs), name=f"{operator}_{i}", **given)
        kinds = {v.name: v for v in self.values}
        for name in self.outputs:
            v = kinds[name]
            model.output(name, v.kind, [("batch" if v.batched and i == 0 else n) for i, n in enumerate(v.shape)])
        return model.serialize()

    def samples(self, seed, count):
        """Inputs by name, with a leading axis of `count`."""
        random = np.random.default_rng(seed)
        result = {}
        for v in self.inputs:
            shape, (scale, offset) = (count,) + (v.shape[1:] if v.batched else v.shape), self.scales[v.name]
            if v.kind == "f32":
                array = random.normal(size=shape) * scale + offset * scale
            elif v.kind == "bool":
                array = random.random(shape) < 0.5
            elif v.kind == "u8":
                array = random.integers(0, 256, shape)
            elif v.kind == "i8":
                array = random.integers(-128, 128, shape)
            else:
                high = self.limits.get(v.name)
                array = random.integers(-9, 10, shape) if high is None else random.integers(0, high, shape)
            result[v.name] = array.astype(DTYPES[v.kind])
        return result


def broadcast(a, b):
    """The shape of both together, or None. A batch meets a batch, or what has none there."""
    rank = max(a.rank, b.rank)
    if (a.batched and a.rank != rank) or (b.batched and b.rank != rank):
        return None
    left, right = (1,) * (rank - a.rank) + a.shape, (1,) * (rank - b.rank) + b.shape
    if a.batched != b.batched and (left if b.batched else right)[:1] not in ((), (1,)):
        return None
    if any(m != n and 1 not in (m, n) for m, n in zip(left, right)):
        return None
    shape = tuple(max(m, n) for m, n in zip(left, right))
    return shape if np.prod(shape, dtype=int) <= MOST_ELEMENTS else None


def together(values):
    result = values[0]
    for v in values[1:]:
        shape = broadcast(result, v)
        if shape is None:
            raise Declined
        result = Value("", v.kind, shape, result.batched or v.batched)
    return result.shape


def within(g, v, low, high):
    """The value, clipped."""
    return g.add("Clip", [v, g.constant(low), g.constant(high)], "f32", v.shape)


# How operators are drawn: each takes the graph, the operator's name and what the table says of it.

def unary(g, name, domain=None, kinds=("f32",), attributes=None):
    v = g.pick(kinds)
    if domain and v.kind == "f32":
        v = within(g, v, *domain)
    drawn = {key: g.choose(values) for key, values in (attributes or {}).items() if g.chance(0.7)}
    g.add(name, [v], v.kind, v.shape, **drawn)


def binary(g, name, kinds=NUMBERS, result=None):
    a = g.pick(kinds)
    b = g.partner(a)
    if g.chance(0.4) and name != "Mod" and (a.kind == "f32" or name != "Div"):
        a, b = b, a
    if name in ("Div", "Mod") and a.kind != "f32":
        b = g.constant(g.random.integers(1, 7, b.shape) * (g.random.choice([-1, 1], b.shape) if name == "Div" else 1), a.kind)
    elif name == "Div":  # not by next to nothing, where 8 bits say little
        b = g.add("Add", [g.add("Abs", [b], b.kind, b.shape), g.constant(0.5)], b.kind, b.shape)
    g.add(name, [a, b], result or a.kind, together([a, b]))


def power(g, name):
    v = g.pick()
    if g.chance(0.6):
        return g.add(name, [within(g, v, -8, 8), g.constant(g.choose((1, 2, 3, 2.0)))], "f32", v.shape)
    v = within(g, v, 0.25, 6)
    exponent = g.constant(g.choose((0.5, -1, -0.5, 1.7, 0, 4)))
    if g.chance(0.3):
        exponent = within(g, g.partner(v, ("f32",)), -2, 2)
    return g.add(name, [v, exponent], "f32", together([v, exponent]))


def variadic(g, name, kinds=NUMBERS):
    values = [g.pick(kinds)]
    for _ in range(g.choose((0, 1, 1, 2, 3))):
        values.append(g.partner(values[0]))
    g.add(name, values, values[0].kind, together(values))


def prelu(g, name):
    v = g.pick()
    slope = g.data(g.choose(((), v.shape[v.rank - 1:], (v.shape[1],) + (1,) * (v.rank - 2) if v.rank > 1 else ())))
    g.add(name, [v, slope], "f32", together([v, slope]))


def clip(g, name):
    v = g.pick(("f32", "f32", "i64", "i32") if g.opset >= 12 else "f32")
    low, high = sorted(g.random.integers(-4, 5, 2).tolist())
    bounds = [g.constant(low, v.kind) if g.chance(0.7) else None, g.constant(high, v.kind) if g.chance(0.7) else None]
    while bounds and bounds[-1] is None:
        bounds.pop()
    g.add(name, [v] + bounds, v.kind, v.shape)


def where(g, name):
    condition = g.pick("bool", fresh=0.3)
    kind = g.choose(("f32", "f32", "f32", "i64"))
    a, b = (g.partner(condition, (kind,)) for _ in range(2))
    g.add(name, [condition, a, b], kind, together([condition, a, b]))


def cast(g, name):
    v = g.pick(("f32", "i64", "i32", "bool", "u8", "i8"))
    kind = g.choose([k for k in ("f32", "f32", "i64", "i32", "bool", "u8", "i8") if k != v.kind])
    if kind in ("u8", "i8", "i32", "i64") and v.kind == "f32":
        v = within(g, v, 0 if kind == "u8" else -90, 90)
    g.add(name, [v], kind, v.shape, to=CODES[kind])


def windows(g, v, spatial, kernel, dilations=True, pads=True):
    """Attributes of a window over the last dimensions, and what sizes they leave."""
    strides = [g.choose((1, 1, 2, 3)) for _ in range(spatial)]
    dilated = [g.choose((1, 1, 1, 2, 3)) if dilations else 1 for _ in range(spatial)]
    mode = g.choose(("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")) if pads else "VALID"
    if mode.startswith("SAME"):  # onnxruntime refuses dilations there, and pads less than nothing behind strides that are longer than windows
        dilated = [1] * spatial
        strides = [min(s, k) for s, k in zip(strides, kernel)]
    attributes, out = {"kernel_shape": kernel, "strides": strides}, []
    if dilations:
        attributes["dilations"] = dilated
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilated)]
    if mode == "NOTSET":
        most = [min(k - 1, 3) for k in kernel]
        amounts = [g.integer(0, m) for m in most * 2] if g.chance(0.7) else [0] * (2 * spatial)
        attributes["pads"] = amounts
    else:
        attributes["auto_pad"] = mode
    for i, n in enumerate(v.shape[-spatial:]):
        if mode.startswith("SAME"):
            out.append(-(-n // strides[i]))
        else:
            padded = n + (amounts[i] + amounts[i + spatial] if mode == "NOTSET" else 0)
            out.append((padded - spans[i]) // strides[i] + 1)
    return attributes, out, spans


def whole(v):
    """Three spatial dimensions are for a batch of one known size."""
    return v.rank < 5 or not v.batched


def conv(g, name):
    v = g.pick(ranks=(3, 4, 4, 4, 5), fits=whole)
    spatial, channels = v.rank - 2, v.shape[1]
    group = g.choose([1, 1, channels] + [n for n in (2, 3, 4) if channels % n == 0])
    filters = group * g.choose((1, 1, 2, 3) if group > 1 else (1, 3, 8, 16, 17, 33))
    kernel = [g.choose((1, 1, 2, 3, 3, 5)) for _ in range(spatial)]
    attributes, out, _ = windows(g, v, spatial, kernel)
    inputs = [v, g.weights(filters, channels // group, *kernel)]
    if g.chance(0.6):
        inputs.append(g.data((filters,)))
    g.add(name, inputs, "f32", (v.shape[0], filters, *out), group=group, **attributes)


def conv_transpose(g, name):
    v = g.pick(ranks=(3, 4, 4))
    spatial, channels = v.rank - 2, v.shape[1]
    group = g.choose([1, 1, channels] + [n for n in (2, 3) if channels % n == 0])
    each = g.choose((1, 2, 5, 8))
    kernel = [g.choose((1, 2, 3, 4)) for _ in range(spatial)]
    strides = [g.choose((1, 2, 2, 3)) for _ in range(spatial)]
    dilations = [g.choose((1, 1, 2)) for _ in range(spatial)]
    extra = [g.integer(0, max(s, 1) - 1) if g.chance(0.3) else 0 for s in strides]
    pads = [g.integer(0, min(k - 1, 2)) for k in kernel * 2]
    out = [(n - 1) * strides[i] + extra[i] + (kernel[i] - 1) * dilations[i] + 1 - pads[i] - pads[i + spatial]
           for i, n in enumerate(v.shape[2:])]
    inputs = [v, g.weights(channels, each, *kernel, fan=channels // group)]
    if g.chance(0.5):
        inputs.append(g.data((group * each,)))
    g.add(name, inputs, "f32", (v.shape[0], group * each, *out), group=group, kernel_shape=kernel, strides=strides, dilations=dilations, pads=pads,
          output_padding=extra if any(extra) else None)


def matmul(g, name):
    a = g.pick(ranks=(2, 3, 4, 5))
    columns, depth = g.choose((1, 3, 8, 16, 17, 33)), a.shape[-1]
    form = g.random.random()
    if form < 0.45:
        b = g.weights(columns, depth)
        b = g.constant(g.constants.pop(b.name).T)
    elif form < 0.6:
        lead = tuple(1 if g.chance(0.4) else n for n in a.shape[int(g.batched):-2])
        lead = lead[g.integer(0, len(lead)):]
        b = g.constant(g.random.normal(size=lead + (depth, columns)) / np.sqrt(depth))
        if g.chance(0.3) and not g.batched and b.rank >= a.rank:
            b = g.constant(np.swapaxes(g.constants[b.name], -1, -2))
            a = g.add("Transpose", [a], "f32", a.shape[:-2] + a.shape[:-3:-1], perm=list(range(a.rank - 2)) + [a.rank - 1, a.rank - 2])
            a, b = b, a
            if a.shape[-1] != b.shape[-2]:
                raise Declined
    else:
        found = [v for v in g.values if v.kind == "f32" and v.rank == a.rank and v.shape[-2] == depth]
        same = [v for v in g.values if v.kind == "f32" and v.rank == a.rank and v.shape[-1] == depth and v.rank > 2]
        if found and g.chance(0.5):
            b = g.choose(found)
        elif same and (a.rank > 2 or not g.batched):
            b = g.choose(same)
            b = g.add("Transpose", [b], "f32", b.shape[:-2] + b.shape[:-3:-1], perm=list(range(b.rank - 2)) + [b.rank - 1, b.rank - 2])
        elif a.rank > 2 or not g.batched:
            b = g.input("f32", a.shape[:-2] + (depth, columns))
        else:
            raise Declined
    if a.batched and b.batched and a.rank == 2:
        raise Declined
    lead = together([Value("", "f32", a.shape[:-2], a.batched and a.rank > 2), Value("", "f32", b.shape[:-2], b.batched)])
    g.add(name, [a, b], "f32", lead + (a.shape[-2], b.shape[-1]))


def gemm(g, name):
    a = g.pick(ranks=(2,))
    flip = not a.batched and g.chance(0.3)
    rows, depth = a.shape[::-1] if flip else a.shape
    columns, turn = g.choose((1, 3, 8, 16, 17, 33)), g.chance(0.5)
    b = g.weights(columns, depth)
    b = b if turn else g.constant(g.constants.pop(b.name).T)
    if not g.batched and g.chance(0.25):
        b = g.input("f32", b.shape)
    inputs = [a, b]
    if g.chance(0.7):
        inputs.append(g.data(g.choose(((columns,), (1, columns), (1,), ()) + (() if g.batched else ((rows, columns), (rows, 1))))))
    g.add(name, inputs, "f32", (rows, columns), transA=int(flip), transB=int(turn), alpha=float(g.choose((1, 1, 0.5, -2))),
          beta=float(g.choose((1, 1, 0.25, 3))))


EINSUMS = ("ij,jk->ik", "ij,kj->ik", "bij,bjk->bik", "bij,bkj->bik", "bij,jk->bik", "bhid,bhjd->bhij", "bhij,bhjd->bihd", "bijc,bkjc->bijk",
           "bi,bi->b", "bij->bji", "bij->bj", "bhij->bijh", "bij,bj->bi", "bij,j->bi", "bqc,bkc->bqk", "bnts,btsd->bntd", "ij->ji", "bi,bj->bij",
           "bhwc,hkc->bhwk", "bij,bij->bij", "bij->b", "bij,jk,kl->bil", "bij,bkl->bik", "bi,bj,bk->bijk", "b...i,ij->b...j")


def einsum(g, name):
    equation = g.choose(EINSUMS)
    terms, result = equation.split("->")[0].split(","), equation.split("->")[1]
    a = g.pick(ranks=(len(terms[0]),))
    if a.batched and (terms[0][0] != "b" or result[0] != "b"):
        raise Declined
    sizes, inputs = dict(zip(terms[0], a.shape)), [a]
    for term in terms[1:]:
        for letter in term:
            sizes.setdefault(letter, g.size())
        shape = tuple(sizes[letter] for letter in term)
        found = [v for v in g.values if v.kind == "f32" and v.shape == shape and v.batched == a.batched and (not a.batched or term[0] == "b")]
        if found and g.chance(0.5):
            inputs.append(g.choose(found))
        elif a.batched and term[0] == "b":
            inputs.append(g.input("f32", shape))
        else:
            inputs.append(g.data(shape))
    g.add(name, inputs, "f32", tuple(sizes[letter] for letter in result), equation=equation)


def pool(g, name):
    kinds = ("f32", "f32", "f32", "f32", "u8", "i8") if name == "MaxPool" and g.opset >= 12 else ("f32",)
    v = g.pick(kinds, ranks=(3, 4, 4, 5), fits=whole)
    spatial = v.rank - 2
    kernel = [g.choose((1, 2, 3, 3)) for _ in range(spatial)]
    dilations = name == "MaxPool" or g.opset >= {"LpPool": 18, "AveragePool": 19}[name]
    attributes, out, spans = windows(g, v, spatial, kernel, dilations)
    if "pads" in attributes and (name != "LpPool" or dilations) and g.chance(0.3):
        attributes["ceil_mode"] = 1
        for i, n in enumerate(v.shape[2:]):
            before, after = attributes["pads"][i], attributes["pads"][i + spatial]
            out[i] = -(-(n + before + after - spans[i]) // attributes["strides"][i]) + 1
            if (out[i] - 1) * attributes["strides"][i] >= n + before:
                out[i] -= 1
    if name == "AveragePool" and g.chance(0.4):
        attributes["count_include_pad"] = 1
    if name == "LpPool":
        attributes["p"] = g.choose((1, 2))
    g.add(name, [v], v.kind, v.shape[:2] + tuple(out), **attributes)


def global_pool(g, name):
    v = g.pick(ranks=(3, 4, 4))
    g.add(name, [v], "f32", v.shape[:2] + (1,) * (v.rank - 2))


def batch_norm(g, name):
    v = g.pick(ranks=(2, 3, 4, 4))
    c = v.shape[1]
    parameters = [g.data((c,)), g.data((c,)), g.data((c,)), g.constant(g.random.random(c) + 0.3)]
    g.add(name, [v] + parameters, "f32", v.shape, epsilon=float(g.choose((1e-5, 1e-3))))


def instance_norm(g, name):
    v = g.pick(ranks=(3, 4), fits=lambda v: np.prod(v.shape[2:]) > 2)
    g.add(name, [v, g.data(v.shape[1:2]), g.data(v.shape[1:2])], "f32", v.shape)


def group_norm(g, name):
    v = g.pick(ranks=(3, 4), fits=lambda v: np.prod(v.shape[2:]) > 2)
    groups = g.choose([n for n in (1, 2, 3, 4, 8) if v.shape[1] % n == 0])
    size = v.shape[1] if g.opset >= 21 else groups
    g.add(name, [v, g.data((size,)), g.data((size,))], "f32", v.shape, num_groups=groups)


def layer_norm(g, name):
    v = g.pick(ranks=(2, 3, 4))
    axis = g.choose(v.axes[-2:])
    if np.prod(v.shape[axis:]) < 3:
        raise Declined
    inputs = [v, g.data(v.shape[axis:])] + ([g.data(v.shape[axis:])] if g.chance(0.7) else [])
    g.add(name, inputs, "f32", v.shape, axis=g.choose((axis, axis - v.rank)))


def lrn(g, name):
    v = g.pick(ranks=(4,))
    g.add(name, [v], "f32", v.shape, size=g.choose((1, 3, 5)), alpha=0.01, beta=0.75, bias=g.choose((1.0, 2.0)))


def along(g, name, attributes=None):
    v = g.pick()
    axis = g.choose(v.axes)
    g.add(name, [v], "f32", v.shape, axis=axis - g.choose((0, v.rank)), **{key: g.choose(values) for key, values in (attributes or {}).items()})


def mean_variance(g, name):
    v = g.pick(ranks=(3, 4))
    axes = g.choose(([a for a in v.axes if a != 1], v.axes[-1:]))
    if np.prod([v.shape[a] for a in axes]) < 3:
        raise Declined
    g.add(name, [v], "f32", v.shape, axes=axes)


def top_k(g, name):
    v = g.pick(("f32", "f32", "i64", "i32"))
    axis = g.choose(v.axes)
    k = g.integer(1, v.shape[axis])
    shape = v.shape[:axis] + (k,) + v.shape[axis + 1:]
    g.add(name, [v, g.integers([k])], [v.kind, "i64"], [shape, shape], axis=axis - g.choose((0, v.rank)), largest=g.choose((0, 1)))


def reduce(g, name, domain=None, kinds=("f32",)):
    v = g.pick(kinds, fits=lambda v: v.axes)
    if domain:
        v = within(g, v, *domain)
    axes = sorted(int(a) for a in g.random.permutation(v.axes)[:g.integer(1, max(1, len(v.axes)))])
    keep, noop = g.choose((0, 1)), 0
    as_input = g.opset >= (13 if name == "ReduceSum" else 18)
    if g.chance(0.15) and not v.batched:
        noop, axes = g.choose((0, 1)) if as_input else 0, []
    shape = tuple(1 if i in axes or not axes and not noop else n for i, n in enumerate(v.shape) if keep or not (i in axes or (not axes and not noop)))
    if not axes and noop:
        shape = v.shape
    written = [a - g.choose((0, v.rank)) for a in axes]
    inputs = [v] + ([g.integers(written)] if as_input and (axes or g.chance(0.5)) else [])
    g.add(name, inputs, v.kind, shape, keepdims=keep, noop_with_empty_axes=noop or None, axes=None if as_input else written or None)


def argument(g, name):
    v = g.pick()
    axis, keep = g.choose(v.axes), g.choose((0, 1))
    shape = tuple(1 if i == axis else n for i, n in enumerate(v.shape) if keep or i != axis)
    g.add(name, [v], "i64", shape, axis=axis - g.choose((0, v.rank)), keepdims=keep, select_last_index=g.choose((0, 1)) if g.opset >= 12 else None)


def cumulate(g, name):
    v = g.pick(("f32", "f32", "i64", "i32"))
    g.add(name, [v, g.integers(g.choose(v.axes))], v.kind, v.shape, exclusive=g.choose((0, 1)), reverse=g.choose((0, 1)))


ANY = ("f32", "f32", "f32", "f32", "i64", "bool", "u8", "i32")


def concat(g, name):
    v = g.pick(ANY)
    axis = g.choose(v.axes)
    values = [v]
    for _ in range(g.choose((0, 1, 1, 2, 3))):
        rest = v.shape[:axis] + v.shape[axis + 1:]
        found = [w for w in g.values if (w.kind, w.rank, w.batched) == (v.kind, v.rank, v.batched) and w.shape[:axis] + w.shape[axis + 1:] == rest]
        if v.batched or g.chance(0.8):
            values.append(g.choose(found))
        else:
            values.append(g.data(v.shape[:axis] + (g.size(),) + v.shape[axis + 1:], v.kind))
    g.random.shuffle(values)
    shape = list(v.shape)
    shape[axis] = sum(w.shape[axis] for w in values)
    g.add(name, values, v.kind, tuple(shape), axis=axis - g.choose((0, v.rank)))


def split(g, name):
    v = g.pick(ANY)
    axis = g.choose([a for a in v.axes if v.shape[a] > 1])
    n, parts = v.shape[axis], g.choose((2, 2, 3))
    if n < parts:
        raise Declined
    form = g.choose(("sizes", "equal"))
    attributes, inputs = {}, [v]
    if form == "sizes":
        cuts = sorted(g.random.choice(np.arange(1, n), parts - 1, replace=False).tolist())
        sizes = np.diff([0] + cuts + [n]).tolist()
        if g.opset >= 13:
            inputs.append(g.integers(sizes))
        else:
            attributes["split"] = sizes
    elif g.opset >= 18:
        each = -(-n // parts)
        sizes = [each] * (parts - 1) + [n - each * (parts - 1)]
        attributes["num_outputs"] = parts
    else:
        if n % parts:
            raise Declined
        sizes = [n // parts] * parts
    g.add(name, inputs, v.kind, [v.shape[:axis] + (s,) + v.shape[axis + 1:] for s in sizes], axis=axis - g.choose((0, v.rank)), **attributes)


def slices(g, name):
    v = g.pick(ANY)
    axes = sorted(int(a) for a in g.random.permutation(v.axes)[:g.integer(1, 2)])
    if not axes:
        raise Declined
    shape, starts, ends, steps = list(v.shape), [], [], []
    for a in axes:
        n, step = v.shape[a], g.choose((1, 1, 1, 2, 3, -1, -2))
        first, last = sorted((g.integer(0, n - 1), g.integer(0, n - 1)))
        if step > 0:
            start, end = first, last + 1
        else:
            start, end = last, first - 1
        shape[a] = len(range(start, end, step))
        if step > 0 and end == n:
            ends.append(g.choose((end, 2**31, 2**63 - 1)))
        elif step > 0 and g.chance(0.3):
            ends.append(end - n)
        else:
            ends.append(-n - 1 if end == -1 else end)
        starts.append(start - n if g.chance(0.3) else start)
        steps.append(step)
    inputs = [v, g.integers(starts), g.integers(ends), g.integers([a - g.choose((0, v.rank)) for a in axes])]
    g.add(name, inputs + ([g.integers(steps)] if steps != [1] * len(steps) or g.chance(0.5) else []), v.kind, tuple(shape))


def pad(g, name):
    v = g.pick(("f32", "f32", "f32", "i64") if g.opset < 13 else ("f32", "f32", "f32", "i64", "i32", "bool"))
    mode = g.choose(("constant", "constant", "edge", "reflect") + (("wrap",) if g.opset >= 19 else ()))
    amounts = [[0] * v.rank, [0] * v.rank]
    for a in v.axes:
        for side in amounts:
            if g.chance(0.5):
                most = v.shape[a] - 1 if mode == "reflect" else v.shape[a] if mode == "wrap" else 3
                side[a] = g.integer(-min(1, v.shape[a] - 1) if mode == "constant" and v.kind == "f32" else 0, min(3, most))
        if v.shape[a] + amounts[0][a] + amounts[1][a] < 1:
            raise Declined
    inputs = [v, g.integers(amounts[0] + amounts[1])]
    if mode == "constant" and (v.kind == "bool" or g.chance(0.5)):
        inputs.append(g.constant(g.choose((0, 1, -3)) if v.kind != "bool" else True, v.kind))
    g.add(name, inputs, v.kind, tuple(n + amounts[0][i] + amounts[1][i] for i, n in enumerate(v.shape)), mode=mode)


def transpose(g, name):
    v = g.pick(ANY)
    perm = list(range(int(v.batched))) + [int(a) for a in g.random.permutation(v.axes)]
    g.add(name, [v], v.kind, tuple(v.shape[p] for p in perm), perm=perm)


def factors(g, count, rank):
    """A shape of `rank` sizes with that many elements."""
    shape = [1] * rank
    if rank == 0:
        if count != 1:
            raise Declined
        return ()
    for prime in (2, 3, 5, 7, 11, 13, 17):
        while count % prime == 0:
            shape[g.integer(0, rank - 1)] *= prime
            count //= prime
    shape[0] *= count
    return tuple(shape)


def reshape(g, name):
    v = g.pick(ANY)
    lead = int(v.batched)
    shape = v.shape[:lead] + factors(g, int(np.prod(v.shape[lead:], dtype=int)), g.integer(1, 5 - lead))
    written = list(shape)
    if g.chance(0.6):
        written[g.integer(0, len(written) - 1)] = -1
    if lead:
        written[0] = 0 if -1 in written[1:] else g.choose((0, -1))
    g.add(name, [v, g.integers(written)], v.kind, shape)


def flatten(g, name):
    v = g.pick(ANY)
    axis = 1 if v.batched else g.integer(0, v.rank)
    shape = (int(np.prod(v.shape[:axis], dtype=int)), int(np.prod(v.shape[axis:], dtype=int)))
    g.add(name, [v], v.kind, shape, axis=axis - (v.rank if axis < v.rank and g.chance(0.3) else 0))


def with_axes(g, name, v, axes, shape, rank):
    written = [a - g.choose((0, rank)) for a in axes]
    if g.opset >= 13:
        return g.add(name, [v, g.integers(written)], v.kind, shape)
    return g.add(name, [v], v.kind, shape, axes=written)


def squeeze(g, name):
    v = g.pick(ANY, fits=lambda v: any(v.shape[a] == 1 for a in v.axes) and v.rank > 1)
    axes = [a for a in v.axes if v.shape[a] == 1]
    axes = sorted(axes[:g.integer(1, len(axes))])
    with_axes(g, name, v, axes, tuple(n for i, n in enumerate(v.shape) if i not in axes), v.rank)


def unsqueeze(g, name):
    v = g.pick(ANY, ranks=(1, 2, 3, 4))
    axis = g.integer(int(v.batched), v.rank)
    with_axes(g, name, v, [axis], v.shape[:axis] + (1,) + v.shape[axis:], v.rank + 1)


def expand(g, name):
    v = g.pick(ANY, ranks=(0, 1, 2, 3, 4))
    shape = tuple(g.size() if n == 1 and i >= int(v.batched) else n for i, n in enumerate(v.shape))
    if not v.batched and v.rank < 5 and g.chance(0.3):
        shape = (g.choose((1, 2, 3)),) + shape
    written = [1 if g.chance(0.3) else n for n in shape] if len(shape) == v.rank else list(shape)
    written = [1 if v.shape and n == v.shape[i - len(shape) + v.rank] and i >= len(shape) - v.rank and g.chance(0.3) else n for i, n in enumerate(shape)]
    g.add(name, [v, g.integers(written)], v.kind, shape)


def tile(g, name):
    v = g.pick(ANY)
    repeats = [1 if i < int(v.batched) else g.choose((1, 1, 2, 3)) for i in range(v.rank)]
    g.add(name, [v, g.integers(repeats)], v.kind, tuple(n * r for n, r in zip(v.shape, repeats)))


def gather(g, name):
    v = g.pick(ANY)
    axis = g.choose(v.axes)
    n = v.shape[axis]
    if g.chance(0.7):
        shape = g.choose(((), (1,), (3,), (2, 3)))
        ascending = np.arange(int(np.prod(shape, dtype=int))).reshape(shape) % n
        indices = g.integers(g.random.integers(-n, n, shape) if g.chance(0.7) else ascending, g.choose(("i64", "i32")))
    elif g.batched:
        raise Declined
    else:
        indices = g.input(g.choose(("i64", "i32")), (g.choose((1, 3, 5)),), high=n)
    g.add(name, [v, indices], v.kind, v.shape[:axis] + indices.shape + v.shape[axis + 1:], axis=axis - g.choose((0, v.rank)))


def embedding(g, name):
    """Rows of a constant table at indices that are an input."""
    rows, width = g.choose((5, 16, 33)), g.choose((3, 8, 16, 17))
    indices = g.input(g.choose(("i64", "i32")), (1 if g.batched else g.choose((1, 2)), g.choose((1, 3, 7))), high=rows)
    g.add(name, [g.data((rows, width)), indices], "f32", indices.shape + (width,))


def gather_elements(g, name):
    v = g.pick(("f32", "f32", "i64"), fits=lambda v: not v.batched)
    axis = g.choose(v.axes)
    shape = tuple(g.integer(1, n) if i != axis else g.choose((1, 3, n)) for i, n in enumerate(v.shape))
    g.add(name, [v, g.integers(g.random.integers(-v.shape[axis], v.shape[axis], shape))], v.kind, shape, axis=axis - g.choose((0, v.rank)))


def gather_nd(g, name):
    v = g.pick(("f32", "f32", "i64"), fits=lambda v: not v.batched)
    depth = g.integer(1, v.rank)
    lead = g.choose(((), (3,), (2, 3)))
    indices = np.stack([g.random.integers(-n, n, lead) for n in v.shape[:depth]], -1)
    g.add(name, [v, g.integers(indices)], v.kind, lead + v.shape[depth:])


def scatter_elements(g, name):
    v = g.pick(("f32", "f32", "i64"), fits=lambda v: not v.batched)
    axis = g.choose(v.axes)
    n, reduction = v.shape[axis], g.choose(("none", "add", "mul", "max", "min")[:1 if g.opset < 16 else 3 if g.opset < 18 else 5])
    shape = v.shape[:axis] + (g.integer(1, n),) + v.shape[axis + 1:]
    # Without a reduction each element has one place: the last of several is up to who computes it.
    order = g.random.random(v.shape).argsort(axis).take(range(shape[axis]), axis)
    indices = order if reduction == "none" or g.chance(0.5) else g.random.integers(0, n, shape)
    indices = np.where(g.random.random(shape) < 0.3, indices - n, indices)
    g.add(name, [v, g.integers(indices), g.data(shape, v.kind)], v.kind, v.shape,
          axis=axis - g.choose((0, v.rank)), reduction=reduction if g.opset >= 16 else None)


def scatter_nd(g, name):
    v = g.pick(fits=lambda v: not v.batched)
    depth = g.integer(1, v.rank)
    total = int(np.prod(v.shape[:depth], dtype=int))
    rows = g.random.permutation(total)[:g.integer(1, min(4, total))]
    indices = np.stack(np.unravel_index(rows, v.shape[:depth]), -1)
    shape = (len(rows),) + v.shape[depth:]
    found = [w for w in g.values if w.kind == "f32" and w.shape == shape]
    g.add(name, [v, g.integers(indices), g.choose(found) if found and g.chance(0.7) else g.data(shape)], "f32", v.shape)


def one_hot(g, name):
    v = g.pick("i64", ranks=(1, 2, 3))
    depth = g.choose((3, 10))
    axis = g.integer(int(v.batched), v.rank)
    g.add(name, [v, g.integers(depth), g.constant([-1.5, 2])], "f32", v.shape[:axis] + (depth,) + v.shape[axis:], axis=axis - g.choose((0, v.rank + 1)))


def blocks(g, name):
    b = g.choose((2, 2, 3))
    v = g.pick(ranks=(4,), fits=lambda v: v.shape[1] % (b * b) == 0 if name == "DepthToSpace" else v.shape[2] % b == v.shape[3] % b == 0, fresh=0.3)
    n, c, h, w = v.shape
    if name == "DepthToSpace":
        return g.add(name, [v], "f32", (n, c // (b * b), h * b, w * b), blocksize=b, mode=g.choose(("DCR", "CRD")))
    return g.add(name, [v], "f32", (n, c * b * b, h // b, w // b), blocksize=b)


def resize(g, name):
    v = g.pick(ranks=(4,))
    mode = g.choose(("nearest", "linear", "cubic"))
    coordinates = g.choose(("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"))
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    if mode == "nearest":
        attributes["nearest_mode"] = g.choose(("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"))
    elif g.opset >= 18 and g.chance(0.3):
        attributes["antialias"] = 1
    elif mode == "cubic":
        attributes |= {"cubic_coeff_a": g.choose((-0.75, -0.5)), "exclude_outside": g.choose((0, 1))}
    none = g.constant(np.zeros(0)) if g.opset < 13 else None
    if g.chance(0.5):
        factors_ = [g.choose((1, 2, 0.5, 3, 1.5)) for _ in range(2)]
        shape = v.shape[:2] + tuple(int(np.floor(n * f)) for n, f in zip(v.shape[2:], factors_))
        inputs = [v, none, g.constant([1, 1] + factors_)]
    else:
        if v.batched:
            raise Declined
        shape = v.shape[:2] + (g.size(), g.size())
        inputs = [v, none, g.constant(np.zeros(0)) if g.opset < 13 else None, g.integers(shape)]
    g.add(name, inputs, "f32", shape, **attributes)


def grid_sample(g, name):
    v = g.pick(ranks=(4,), fits=lambda v: not v.batched)
    shape = (v.shape[0], g.choose((1, 3, 8)), g.choose((1, 5, 7)), 2)
    is_input = not g.batched and len(g.inputs) < 4 and g.chance(0.5)
    grid = g.input("f32", shape) if is_input else g.constant(g.random.uniform(-1.4, 1.4, shape))
    mode = g.choose(("linear" if g.opset >= 20 else "bilinear", "nearest"))
    g.add(name, [v, within(g, grid, -1.4, 1.4)], "f32", v.shape[:2] + shape[1:3], mode=mode, padding_mode=g.choose(("zeros", "border", "reflection")),
          align_corners=g.choose((0, 1)))


def add_last(g, v):
    """The value with a last dimension of 1: real numbers, for a transform."""
    return g.add("Unsqueeze", [v, g.integers([v.rank])], v.kind, v.shape + (1,))


def dft(g, name):
    v = g.pick(ranks=(2, 3, 4))
    if v.rank == 2 or v.shape[-1] != 2 or g.chance(0.3):
        v = add_last(g, v)
    axis, inverse = g.choose(range(1, v.rank - 1)), g.choose((0, 1))
    length = g.choose((v.shape[axis], v.shape[axis], 4, 9))
    onesided = 0 if inverse or v.shape[-1] == 2 else g.choose((0, 1))
    inputs = [v, g.integers(length) if length != v.shape[axis] or g.chance(0.3) else None]
    inputs += [g.integers(axis - g.choose((0, v.rank)))] if g.opset >= 20 else []
    while inputs[-1] is None:
        inputs.pop()
    shape = v.shape[:axis] + (length // 2 + 1 if onesided else length,) + v.shape[axis + 1:-1] + (2,)
    g.add(name, inputs, "f32", shape, axis=axis if g.opset < 20 else None, inverse=inverse, onesided=onesided)


def stft(g, name):
    v = g.pick(ranks=(2,), fits=lambda v: v.shape[1] >= 4)
    frame, step, onesided = g.choose([n for n in (4, 5, 8, 16) if n <= v.shape[1]]), g.choose((1, 2, 3)), g.choose((0, 1))
    window = g.data((frame,)) if g.chance(0.7) else None
    inputs = [add_last(g, v), g.integers(step), window] + ([g.integers(frame)] if window is None or g.chance(0.5) else [])
    frames, bins = (v.shape[1] - frame) // step + 1, frame // 2 + 1 if onesided else frame
    g.add(name, inputs, "f32", (v.shape[0], frames, bins, 2), onesided=onesided)


def col2im(g, name):
    if len(g.inputs) > 3:
        raise Declined
    image, block, dilations, strides = ([g.choose(sizes) for _ in range(2)] for sizes in ((5, 8, 9), (1, 2, 3), (1, 1, 2), (1, 1, 2, 3)))
    pads = [g.choose((0, 0, 1)) for _ in range(4)]
    columns = [(n + pads[i] + pads[i + 2] - dilations[i] * (block[i] - 1) - 1) // strides[i] + 1 for i, n in enumerate(image)]
    channels, lead = g.choose((1, 2, 3)), 1 if g.batched else g.choose((1, 2))
    v = g.input("f32", (lead, channels * block[0] * block[1], columns[0] * columns[1]))
    g.add(name, [v, g.integers(image), g.integers(block)], "f32", (lead, channels, *image), dilations=dilations, pads=pads, strides=strides)


def trilu(g, name):
    v = g.pick(("f32", "f32", "i64"), ranks=(2, 3, 4), fits=lambda v: v.rank > 2 or not v.batched)
    inputs = [v] + ([g.integers(g.choose((-2, -1, 0, 1, 3)))] if g.chance(0.7) else [])
    g.add(name, inputs, v.kind, v.shape, upper=g.choose((0, 1)))


def recurrent(g, name):
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[name]
    v = g.pick(ranks=(3,), fits=lambda v: v.shape[0] <= 9 and v.shape[1] <= 9 and not v.batched)
    steps, batch, width = v.shape
    hidden, directions = g.choose((1, 3, 8, 17)), g.choose((1, 1, 2))
    direction = "bidirectional" if directions == 2 else g.choose(("forward", "reverse"))
    inputs = [v, g.constant(g.random.normal(size=(directions, gates * hidden, width)) / np.sqrt(width)),
              g.constant(g.random.normal(size=(directions, gates * hidden, hidden)) / np.sqrt(hidden))]
    inputs.append(g.data((directions, 2 * gates * hidden)) if g.chance(0.7) else None)
    if g.chance(0.4):
        inputs += [None, g.data((directions, batch, hidden))]
    attributes = {"linear_before_reset": g.choose((0, 1))} if name == "GRU" else {}
    state = (directions, batch, hidden)
    shapes = [(steps, directions, batch, hidden), state] + ([state] if name == "LSTM" else [])
    g.add(name, inputs, "f32", shapes, hidden_size=hidden, direction=direction, **attributes)


def identity(g, name):
    v = g.pick(ANY)
    g.add(name, [v], v.kind, v.shape)


def shape_of(g, name):
    """The sizes of a value as numbers that are computed with."""
    v = g.pick(fits=lambda v: not v.batched)
    sizes = g.add("Cast", [g.add("Shape", [v], "i64", (v.rank,))], "f32", (v.rank,), to=1)
    w = g.pick(fits=lambda w: w.shape[-1] in (1, v.rank))
    g.add("Mul", [w, sizes], "f32", together([w, sizes]))


def casts(g, name):
    """Codes and back."""
    v = g.pick()
    zero = g.choose((None, 0, 3))
    kind = g.choose(("u8", "i8"))
    scale = g.constant(g.choose((0.02, 0.05, 0.1)))
    point = g.constant(128 if kind == "u8" and zero is None else zero or 0, kind)
    codes = g.add("QuantizeLinear", [v, scale, point], kind, v.shape)
    g.add("DequantizeLinear", [codes, scale, point], "f32", v.shape)


def dynamic_casts(g, name):
    v = g.pick(fits=lambda v: not v.batched)
    codes, scale, point = g.add(name, [v], ["u8", "f32", "u8"], [v.shape, (), ()])
    g.add("DequantizeLinear", [codes, scale, point], "f32", v.shape)


def matmul_integer(g, name):
    a = g.pick(("u8", "i8"), ranks=(2, 3), fresh=0.5)
    b = g.constant(g.random.integers(-128, 128, (a.shape[-1], g.choose((1, 8, 17)))), "i8")
    inputs = [a, b] + ([g.constant(g.integer(0, 5), a.kind)] if g.chance(0.6) else [])
    g.add(name, inputs, "i32", a.shape[:-1] + b.shape[-1:])


def conv_integer(g, name):
    v = g.pick("u8", ranks=(4,), fresh=0.5)
    kernel = [g.choose((1, 3)), g.choose((1, 3))]
    attributes, out, _ = windows(g, v, 2, kernel)
    filters = g.choose((1, 8, 17))
    inputs = [v, g.constant(g.random.integers(-128, 128, (filters, v.shape[1], *kernel)), "i8")]
    if g.chance(0.6):
        inputs.append(g.constant(g.integer(0, 5), "u8"))
    g.add(name, inputs, "i32", (v.shape[0], filters, *out), **attributes)


def attention(g, name):
    """Scores of queries and keys, masked or not, and what they weigh."""
    q = g.pick(ranks=(3, 4), fresh=0.4)
    k = g.input("f32", q.shape[:-2] + (g.choose((1, 5, 16)), q.shape[-1]))
    turned = g.add("Transpose", [k], "f32", k.shape[:-2] + k.shape[:-3:-1], perm=list(range(k.rank - 2)) + [k.rank - 1, k.rank - 2])
    scores = g.add("MatMul", [q, turned], "f32", q.shape[:-1] + k.shape[-2:-1])
    if g.chance(0.6):
        scores = g.add(g.choose(("Mul", "Div")), [scores, g.constant(float(g.choose((0.5, 4.0))))], "f32", scores.shape)
    if g.chance(0.5):
        if g.chance(0.5):
            mask = g.constant(np.tril(np.ones(scores.shape[-2:])), "bool")
        else:
            mask = g.pick("bool", fits=lambda v: broadcast(v, scores) == scores.shape, fresh=0)
        scores = g.add("Where", [mask, scores, g.constant(g.choose((-1e4, -3.4e38)))], "f32", scores.shape)
    shares = g.add("Softmax", [scores], "f32", scores.shape, axis=scores.rank - 1)
    values = k if g.chance(0.4) else g.input("f32", k.shape[:-1] + (g.choose((1, 8, 17)),))
    g.add("MatMul", [shares, values], "f32", shares.shape[:-1] + values.shape[-1:])


def predicate(g, name):
    """Of a quotient that may be one."""
    v = g.pick()
    quotient = g.add("Div", [v, g.add("Relu", [v], "f32", v.shape)], "f32", v.shape)
    g.add(name, [quotient], "bool", v.shape)
    g.values.remove(quotient)  # what others make of NaN depends on where they multiply by zero


# name: (how often, from opset, how it is drawn, what else the drawing takes)
OPERATORS = {
    "Abs": (1, 11, unary, {"kinds": NUMBERS}),
    "Neg": (1, 11, unary, {"kinds": NUMBERS}),
    "Relu": (3, 11, unary, {}),
    "Sigmoid": (2, 11, unary, {}),
    "Tanh": (2, 11, unary, {}),
    "Exp": (1, 11, unary, {"domain": (-9, 6)}),
    "Log": (1, 11, unary, {"domain": (0.01, 50)}),
    "Sqrt": (1, 11, unary, {"domain": (0, 99)}),
    "Reciprocal": (1, 11, unary, {"domain": (0.2, 9)}),
    "Ceil": (1, 11, unary, {}),
    "Floor": (1, 11, unary, {}),
    "Round": (1, 11, unary, {}),
    "Sign": (1, 11, unary, {}),
    "Erf": (1, 11, unary, {}),
    "Softplus": (1, 11, unary, {}),
    "Softsign": (1, 11, unary, {}),
    "Sin": (1, 11, unary, {"domain": (-40, 40)}),
    "Cos": (1, 11, unary, {"domain": (-40, 40)}),
    "Tan": (1, 11, unary, {"domain": (-1.4, 1.4)}),
    "Sinh": (1, 11, unary, {"domain": (-4, 4)}),
    "Cosh": (1, 11, unary, {"domain": (-4, 4)}),
    "Asin": (1, 11, unary, {"domain": (-0.95, 0.95)}),
    "Acos": (1, 11, unary, {"domain": (-0.95, 0.95)}),
    "Atan": (1, 11, unary, {}),
    "Asinh": (1, 11, unary, {}),
    "Acosh": (1, 11, unary, {"domain": (1.1, 40)}),
    "Atanh": (1, 11, unary, {"domain": (-0.9, 0.9)}),
    "LeakyRelu": (2, 11, unary, {"attributes": {"alpha": (0.1, 0.3, 1.5)}}),
    "Elu": (1, 11, unary, {"attributes": {"alpha": (0.5, 1.0)}}),
    "Celu": (1, 12, unary, {"attributes": {"alpha": (0.5, 1.0)}}),
    "Selu": (1, 11, unary, {"attributes": {"alpha": (1.5,), "gamma": (1.1,)}}),
    "HardSigmoid": (2, 11, unary, {"attributes": {"alpha": (0.2, 1 / 6), "beta": (0.5, 0.4)}}),
    "HardSwish": (2, 14, unary, {}),
    "Mish": (1, 18, unary, {}),
    "Gelu": (2, 20, unary, {"attributes": {"approximate": ("none", "tanh")}}),
    "Shrink": (1, 11, unary, {"attributes": {"lambd": (0.5, 1.0), "bias": (0.0, 0.3)}}),
    "ThresholdedRelu": (1, 11, unary, {"attributes": {"alpha": (0.5, 1.0)}}),
    "Add": (6, 11, binary, {}),
    "Sub": (3, 11, binary, {}),
    "Mul": (6, 11, binary, {}),
    "Div": (2, 11, binary, {}),
    "Pow": (2, 11, power, {}),
    "Mod": (1, 11, binary, {"kinds": ("i64", "i32")}),
    "Max": (2, 12, variadic, {}),
    "Min": (2, 12, variadic, {}),
    "Mean": (1, 11, variadic, {"kinds": ("f32",)}),
    "Sum": (1, 11, variadic, {"kinds": ("f32",)}),
    "PRelu": (1, 11, prelu, {}),
    "Clip": (2, 11, clip, {}),
    "Equal": (1, 11, binary, {"kinds": ("f32", "i64", "bool"), "result": "bool"}),
    "Greater": (2, 11, binary, {"result": "bool"}),
    "Less": (2, 11, binary, {"result": "bool"}),
    "GreaterOrEqual": (1, 12, binary, {"result": "bool"}),
    "LessOrEqual": (1, 12, binary, {"result": "bool"}),
    "And": (1, 11, binary, {"kinds": ("bool",)}),
    "Or": (1, 11, binary, {"kinds": ("bool",)}),
    "Xor": (1, 11, binary, {"kinds": ("bool",)}),
    "Not": (1, 11, unary, {"kinds": ("bool",)}),
    "BitwiseAnd": (0.5, 18, binary, {"kinds": ("i64", "i32")}),
    "BitwiseOr": (0.5, 18, binary, {"kinds": ("i64", "i32")}),
    "BitwiseXor": (0.5, 18, binary, {"kinds": ("i64", "i32")}),
    "BitwiseNot": (0.5, 18, unary, {"kinds": ("i64", "i32")}),
    "IsNaN": (0.3, 11, predicate, {}),
    "IsInf": (0.3, 11, predicate, {}),
    "Where": (4, 11, where, {}),
    "Cast": (4, 11, cast, {}),
    "Conv": (14, 11, conv, {}),
    "ConvTranspose": (3, 11, conv_transpose, {}),
    "MatMul": (10, 11, matmul, {}),
    "Gemm": (4, 11, gemm, {}),
    "Einsum": (3, 12, einsum, {}),
    "attention": (2, 11, attention, {}),
    "AveragePool": (3, 11, pool, {}),
    "MaxPool": (3, 11, pool, {}),
    "LpPool": (1, 11, pool, {}),
    "GlobalAveragePool": (2, 11, global_pool, {}),
    "GlobalMaxPool": (1, 11, global_pool, {}),
    "BatchNormalization": (4, 11, batch_norm, {}),
    "InstanceNormalization": (1, 11, instance_norm, {}),
    "GroupNormalization": (1, 21, group_norm, {}),
    "LayerNormalization": (3, 17, layer_norm, {}),
    "LRN": (1, 11, lrn, {}),
    "LpNormalization": (1, 11, along, {"attributes": {"p": (1, 2)}}),
    "MeanVarianceNormalization": (1, 13, mean_variance, {}),
    "Hardmax": (1, 13, along, {}),
    "Softmax": (3, 13, along, {}),
    "LogSoftmax": (1, 13, along, {}),
    "ReduceL1": (1, 11, reduce, {}),
    "ReduceL2": (1, 11, reduce, {}),
    "ReduceLogSum": (1, 11, reduce, {"domain": (0.1, 9)}),
    "ReduceLogSumExp": (1, 11, reduce, {}),
    "ReduceMax": (2, 11, reduce, {}),
    "ReduceMean": (4, 11, reduce, {}),
    "ReduceMin": (1, 11, reduce, {}),
    "ReduceProd": (1, 11, reduce, {"domain": (0.7, 1.4)}),
    "ReduceSum": (3, 11, reduce, {}),
    "ReduceSumSquare": (1, 11, reduce, {}),
    "ArgMax": (1, 11, argument, {}),
    "ArgMin": (1, 11, argument, {}),
    "TopK": (2, 11, top_k, {}),
    "CumSum": (1, 11, cumulate, {}),
    "Concat": (6, 11, concat, {}),
    "Split": (3, 11, split, {}),
    "Slice": (5, 11, slices, {}),
    "Pad": (3, 11, pad, {}),
    "Transpose": (5, 11, transpose, {}),
    "Reshape": (5, 11, reshape, {}),
    "Flatten": (2, 11, flatten, {}),
    "Squeeze": (2, 11, squeeze, {}),
    "Unsqueeze": (2, 11, unsqueeze, {}),
    "Expand": (2, 11, expand, {}),
    "Tile": (1, 11, tile, {}),
    "Gather": (3, 11, gather, {}),
    "GatherElements": (1, 11, gather_elements, {}),
    "GatherND": (1, 12, gather_nd, {}),
    "ScatterElements": (1, 11, scatter_elements, {}),
    "ScatterND": (1, 11, scatter_nd, {}),
    "OneHot": (1, 11, one_hot, {}),
    "DepthToSpace": (1, 11, blocks, {}),
    "SpaceToDepth": (1, 13, blocks, {}),
    "Resize": (4, 11, resize, {}),
    "GridSample": (1, 16, grid_sample, {}),
    "DFT": (1, 17, dft, {}),
    "STFT": (1, 17, stft, {}),
    "Col2Im": (1, 18, col2im, {}),
    "Trilu": (1, 14, trilu, {}),
    "LSTM": (1, 11, recurrent, {}),
    "GRU": (1, 11, recurrent, {}),
    "RNN": (1, 11, recurrent, {}),
    "Identity": (1, 11, identity, {}),
    "Dropout": (0.5, 12, unary, {}),
    "Shape": (1, 11, shape_of, {}),
    "DynamicQuantizeLinear": (0.5, 11, dynamic_casts, {}),
    "MatMulInteger": (0.7, 11, matmul_integer, {}),
    "ConvInteger": (0.7, 11, conv_integer, {}),
}


# Of three graphs one draws from all operators; the others from those that meet in networks of pictures and of sequences, whose combinations are many.
PROFILES = (
    (),
    ("Conv", "ConvTranspose", "BatchNormalization", "Relu", "LeakyRelu", "HardSwish", "HardSigmoid", "Sigmoid", "Clip", "Add", "Mul", "Max", "PRelu", "MaxPool",
     "AveragePool", "GlobalAveragePool", "ReduceMean", "Resize", "GridSample", "TopK", "Concat", "Split", "Slice",
     "Pad", "Transpose", "Reshape", "Flatten", "Gemm", "DepthToSpace", "Where", "Greater", "Cast", "Expand", "ArgMax", "Softmax",
     "InstanceNormalization"),
    ("MatMul", "Gemm", "Einsum", "attention", "embedding", "LayerNormalization", "Softmax", "Add", "Sub", "Mul", "Div", "Erf", "Gelu", "Tanh", "Sigmoid",
     "Sqrt", "Pow", "ReduceMean", "ReduceSum", "ReduceMax", "Where", "Equal", "Less", "And", "Not", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze",
     "Expand", "Concat", "Split", "Slice", "Gather", "Conv", "LSTM", "GRU", "CumSum", "Trilu", "OneHot", "Shape", "TopK", "STFT", "DFT"),
)


def make_graph(seed, nodes=None, opset=None):
    g = Graph(seed)
    g.opset = opset or g.opset
    rows = {name: row for name, row in OPERATORS.items() if row[1] <= g.opset}
    if g.quantized:
        rows["casts"] = (20, 11, casts, {})
    rows["embedding"] = (0.7, 11, lambda g, name: embedding(g, "Gather"), {})
    rows = {name: row for name, row in rows.items() if not PROFILES[seed // 4 % 3] or name in PROFILES[seed // 4 % 3] or name == "casts"}
    names, weights = list(rows), np.array([row[0] for row in rows.values()], float)
    wanted = nodes or min(g.integer(3, 15), g.integer(3, 15))
    attempts = 0
    while len(g.nodes) < wanted and attempts < 400:
        attempts += 1
        name = names[int(g.random.choice(len(names), p=weights / weights.sum()))]
        before = (len(g.inputs), dict(g.constants), len(g.nodes), len(g.values))
        try:
            rows[name][2](g, name, **rows[name][3])
        except Declined:
            del g.inputs[before[0]:], g.nodes[before[2]:], g.values[before[3]:]
            g.constants = before[1]
    g.finish()
    g.quantized = any(node[0] == "QuantizeLinear" for node in g.nodes)
    kept = {name for _, inputs, _, _ in g.nodes for name in inputs}
    g.constants = {name: array for name, array in g.constants.items() if name in kept}
    return g
