#!/usr/bin/env python3
"""Operators that do the work of several, against their definitions in NumPy.

    fused_operators.py model OUT.onnx OPSET DATA.npz     one model with all cases of that opset, and an input for each
    fused_operators.py check OPSET RESULT.npz            what it gave
"""
import math
import sys

import numpy as np

from make_model import Model

random = np.random.default_rng(7)
KINDS = {"float32": "f32", "int32": "i32", "int64": "i64", "uint8": "u8", "int8": "i8", "bool": "bool"}


def floats(*shape):
    return (0.5 * random.standard_normal(shape)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def layer_norm(x, scale, shift=0, epsilon=1e-12):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * scale + shift


def rms_norm(x, scale, epsilon=1e-5, axes=-1):
    return x / np.sqrt((x**2).mean(axes, keepdims=True) + epsilon) * scale


def conv(x, w):
    """Without padding, stride 1."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, w)


def heads(x, count):
    return x.reshape(*x.shape[:2], count, -1).transpose(0, 2, 1, 3)


def joined(x):
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


def attend(q, k, v, scale=None, terms=0.0, kept=True, cap=0):
    """Of heads; a row of `kept` without a true one gives zeros."""
    scores = q @ k.swapaxes(-1, -2) * (scale or 1 / math.sqrt(q.shape[-1]))
    scores = cap * np.tanh(scores / cap) if cap else scores
    scores = scores + terms
    kept = np.asarray(kept, bool) & (scores > -np.inf)
    largest = np.where(kept, scores, -np.inf).max(-1, keepdims=True)
    shares = np.where(kept, np.exp(np.where(kept, scores - np.where(largest > -np.inf, largest, 0), 0)), 0)
    return shares / np.maximum(shares.sum(-1, keepdims=True), 1e-30) @ v


def rotate(x, cos, sin, interleaved):
    """batch x heads x length x size by angles of length x pairs."""
    size = 2 * cos.shape[-1]
    first, second = (x[..., 0:size:2], x[..., 1:size:2]) if interleaved else (x[..., :size // 2], x[..., size // 2:size])
    turned = np.stack([first * cos - second * sin, first * sin + second * cos], axis=-1 if interleaved else -2)
    return np.concatenate([turned.reshape(*x.shape[:-1], size), x[..., size:]], axis=-1)


def unpacked(codes, bits):
    return np.stack([codes >> shift & (1 << bits) - 1 for shift in range(0, 8, bits)], -1).reshape(*codes.shape[:-1], -1)


class Cases:
    """The cases of one opset: `add(operator, given, expected)`; a value that is an array is a constant, one in a tuple an input."""

    def __init__(self, opset):
        self.model, self.data, self.expected = Model(), {}, {}
        self.model.opset(opset)
        self.model.opset(1, "com.microsoft")
        self.model.opset(1, "ai.onnx.ml")
        self.count = 0

    def value(self, given):
        if given is None:
            return "-"
        self.count += 1
        name, array = f"v{self.count}", np.asarray(given[0] if isinstance(given, tuple) else given)
        kind = KINDS[str(array.dtype)]
        if isinstance(given, tuple):
            self.model.input(name, kind, list(array.shape))
            self.data[name] = array[None]
            if not np.isfinite(array).all():  # which no input may be
                self.data[name] = np.nan_to_num(array, neginf=-3e38)[None]
                self.model.constant(name + "e", kind, [], [-1e38]), self.model.constant(name + "i", kind, [], [-math.inf])
                self.model.node("Less", f"{name} {name}e", name + "l")
                self.model.node("Where", f"{name}l {name}i {name}", name + "w")
                return name + "w"
        else:
            self.model.constant(name, kind, list(array.shape), array.ravel().tolist())
        return name

    def add(self, operator, given, *expected, **attributes):
        domain, _, kind = operator.rpartition(":")
        inputs = [self.value(x) for x in given]
        self.count += 1
        outputs = ["-" if e is None else f"{kind}.{self.count}.{i}" for i, e in enumerate(expected)]
        self.model.node(kind, " ".join(inputs), " ".join(outputs), name=f"{kind}_{self.count}", domain=domain, **attributes)
        for name, e in zip(outputs, expected):
            if e is not None:
                self.model.output(name)
                self.expected[name] = np.asarray(e)


def add_simple(c, ms="com.microsoft:"):
    x, scale, shift, bias, skip = floats(2, 5, 12), floats(12), floats(12), floats(12), floats(2, 5, 12)
    c.add(ms + "Gelu", [(x,)], gelu(x))
    c.add(ms + "BiasGelu", [(x,), bias], gelu(x + bias))
    c.add(ms + "FastGelu", [(x,)], gelu_tanh(x))
    c.add(ms + "FastGelu", [(x,), bias], gelu_tanh(x + bias))
    c.add(ms + "QuickGelu", [(x,)], x * sigmoid(1.702 * x))
    c.add(ms + "QuickGelu", [(x,)], x * sigmoid(x), alpha=1.0)
    c.add(ms + "SkipLayerNormalization", [(x,), (skip,), scale, shift], layer_norm(x + skip, scale, shift, 1e-3), epsilon=1e-3)
    total = x + skip + bias
    c.add(ms + "SkipLayerNormalization", [(x,), (skip,), scale, None, bias], layer_norm(total, scale), None, None, total)
    c.add(ms + "SkipSimplifiedLayerNormalization", [(x,), (skip,), scale, bias], rms_norm(total, scale, 1e-12), None, None, total)
    c.add("SimplifiedLayerNormalization", [(x,), scale], rms_norm(x, scale))
    c.add("LayerNormalization", [(x,), scale, shift], layer_norm(x, scale, shift, 1e-5))  # of opset 1 in onnxruntime
    words, positions, segments = floats(20, 12), floats(8, 12), floats(2, 12)
    ids, kinds = random.integers(0, 20, (2, 5)).astype(np.int32), random.integers(0, 2, (2, 5)).astype(np.int32)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    rows = words[ids] + positions[:5] + segments[kinds]
    c.add(ms + "EmbedLayerNormalization", [(ids,), (kinds,), words, positions, segments, scale, shift, (mask,)], layer_norm(rows, scale, shift),
          mask.sum(1).astype(np.int32), rows)
    places = np.array([[2, 3, 4, 5, 6]], np.int32)
    rows = words[ids] + positions[places]
    c.add(ms + "EmbedLayerNormalization", [(ids,), None, words, positions, None, scale, shift, None, (places,)], layer_norm(rows, scale, shift), None)


def add_contractions(c, ms="com.microsoft:"):
    x, w, b = floats(1, 6, 9, 9), floats(8, 6, 3, 3), floats(8)
    y, z = conv(x, w) + b[:, None, None], floats(1, 8, 7, 7)
    c.add(ms + "FusedConv", [(x,), w, b, (z,)], np.maximum(y + z, 0), activation="Relu")
    c.add(ms + "FusedConv", [(x,), w, b], np.clip(y, -0.25, 0.5), activation="Clip", activation_params=[-0.25, 0.5])
    c.add(ms + "FusedConv", [(x,), w, b], np.clip(0.25 * y + 0.5, 0, 1), activation="HardSigmoid", activation_params=[0.25, 0.5])
    c.add(ms + "FusedConv", [(x,), w, b], y)
    a, w, b = floats(4, 7), floats(5, 7), floats(5)
    y = 0.5 * a @ w.T + b
    c.add(ms + "FusedGemm", [(a,), w, b], np.where(y > 0, y, 0.25 * y), transB=1, alpha=0.5, activation="LeakyRelu", activation_alpha=0.25)
    a, b = floats(2, 3, 4, 5), floats(2, 3, 5, 6)
    y = a @ b
    turned = [x.swapaxes(-1, -2) for x in (a, b)]
    c.add(ms + "FusedMatMul", [(a,), (b,)], 0.25 * y, alpha=0.25)
    c.add(ms + "FusedMatMul", [(turned[0],), (turned[1],)], y, transA=1, transB=1)
    c.add(ms + "TransposeMatMul", [(a,), (turned[1],)], y, transB=1)
    c.add(ms + "FusedMatMul", [(a.transpose(2, 0, 1, 3),), (turned[1].transpose(2, 0, 1, 3),)], y, transBatchA=1, transBatchB=1, transB=1)
    for bits, block, zeros in ((4, 16, None), (4, 32, "packed"), (8, 16, "packed"), (2, 16, "floats")):
        k, n = 70, 9
        blocks = -(-k // block)
        codes, scales = random.integers(0, 256, (n, blocks, block * bits // 8)).astype(np.uint8), (0.1 * random.random((n, blocks))).astype(np.float32)
        packed = random.integers(0, 256, (n, -(-blocks * bits // 8))).astype(np.uint8)
        zero = {None: None, "packed": packed, "floats": floats(n, blocks)}[zeros]
        points = {None: np.full((n, blocks), 1 << bits - 1), "packed": unpacked(packed, bits)[:, :blocks], "floats": zero}[zeros]
        weights = ((unpacked(codes, bits).astype(float) - points[..., None]) * scales[..., None]).reshape(n, -1)[:, :k]
        a, bias = floats(3, k), floats(n)
        c.add(ms + "MatMulNBits", [(a,), codes, scales, zero, None, bias], a @ weights.T + bias, K=k, N=n, bits=bits, block_size=block, accuracy_level=4)
    where = random.integers(-5, 5, (2, 3))
    for bits, blocks, has_zeros in ((4, 2, False), (4, 3, True), (8, 2, False), (8, 2, True), (2, 4, True)):
        codes, scales = random.integers(0, 256, (5, 2 * blocks * bits)).astype(np.uint8), (0.1 * random.random((5, blocks))).astype(np.float32)
        zeros = random.integers(0, 256, (5, -(-blocks * bits // 8))).astype(np.uint8) if has_zeros else None
        points = unpacked(zeros, bits)[:, :blocks] if has_zeros else np.full((5, blocks), 1 << bits - 1)
        table = ((unpacked(codes, bits).reshape(5, blocks, 16).astype(float) - points[..., None]) * scales[..., None]).reshape(5, -1)
        c.add(ms + "GatherBlockQuantized", [codes, (where,), scales, zeros], table[where], bits=bits, block_size=16)
    codes, scales = random.integers(0, 256, (32, 6)).astype(np.uint8), (0.1 * random.random((2, 6))).astype(np.float32)
    table = ((codes.reshape(2, 16, 6).astype(float) - 128) * scales[:, None]).reshape(32, 6)
    c.add(ms + "GatherBlockQuantized", [codes, (where,), scales], table[:, where], bits=8, block_size=16, gather_axis=1, quantize_axis=0)


def add_classical(c, ml="ai.onnx.ml:"):
    """What pipelines of scikit-learn have around a network."""
    x, offset, scale, w, b = floats(4, 6), floats(6), floats(6), floats(3, 6), floats(3)
    x[1] = 0
    c.add(ml + "Scaler", [(x,)], (x - offset) * scale, offset=offset.tolist(), scale=scale.tolist())
    c.add(ml + "Scaler", [(x,)], (x - 0.5) * 3, offset=[0.5], scale=[3.0])
    counts = random.integers(-9, 9, (4, 6))
    c.add(ml + "Scaler", [(counts,)], (counts - offset) * scale, offset=offset.tolist(), scale=scale.tolist())
    c.add(ml + "Normalizer", [(x,)], x / np.maximum(np.abs(x).sum(1, keepdims=True), 1e-30), norm="L1")
    c.add(ml + "Normalizer", [(x,)], x / np.maximum(np.sqrt((x**2).sum(1, keepdims=True)), 1e-30), norm="L2")
    c.add(ml + "LinearRegressor", [(x,)], x @ w.T + b, coefficients=w.ravel().tolist(), intercepts=b.tolist(), targets=3)
    c.add(ml + "LinearRegressor", [(x,)], x @ w[:1].T, coefficients=w[0].tolist())
    c.add(ml + "ArrayFeatureExtractor", [(x,), np.array([[4, 0, 4]])], x[:, [4, 0, 4]])
    where = random.integers(0, 6, 5)
    c.add(ml + "ArrayFeatureExtractor", [10 * np.arange(6), (where,)], 10 * where[None])


def add_attention(c, ms="com.microsoft:"):
    x, w, b = floats(2, 5, 12), floats(12, 28), floats(28)
    q, k, v = (heads(part, 2) for part in np.split(x @ w + b, [8, 16], -1))
    lengths, causal = np.array([3, 5], np.int32), np.where(np.tril(np.ones((5, 5))), 0, -1e38)
    mask = (np.arange(5) < lengths[:, None]).astype(np.int32)
    hidden = np.where(mask, 0, -10000.0)[:, None, None]
    sizes = {"num_heads": 2, "qkv_hidden_sizes": [8, 8, 12]}
    c.add(ms + "Attention", [(x,), w, b], joined(attend(q, k, v)), **sizes)
    c.add(ms + "Attention", [(x,), w, b, (mask,)], joined(attend(q, k, v, terms=hidden)), **sizes)
    c.add(ms + "Attention", [(x,), w, b, (lengths,)], joined(attend(q, k, v, terms=hidden + causal)), unidirectional=1, **sizes)
    seen, bias = np.maximum(random.integers(0, 2, (2, 5, 5)), np.eye(5, dtype=int)).astype(np.int32), floats(2, 2, 5, 5)
    terms = np.where(seen, 0, -50.0)[:, None] + bias
    c.add(ms + "Attention", [(x,), w, b, (seen,), None, (bias,)], joined(attend(q, k, v, 0.75, terms)), scale=0.75, mask_filter_value=-50.0, **sizes)

    codes, weights = random.integers(0, 256, (2, 5, 12)).astype(np.uint8), random.integers(-127, 128, (12, 24)).astype(np.int8)
    steps, b = (0.02 * random.random(24)).astype(np.float32), floats(24)
    real = (codes.astype(float) - 120) * 0.02 @ (weights * steps.astype(float)) + b
    q, k, v = (heads(part, 2) for part in np.split(real, 3, -1))
    c.add(ms + "QAttention", [(codes,), weights, b, np.float32(0.02), steps, (mask,), np.uint8(120), np.zeros(24, np.int8)],
          joined(attend(q, k, v, terms=hidden)), num_heads=2)

    q, k, v, b = floats(2, 5, 8), floats(2, 7, 8), floats(2, 7, 12), floats(28)
    parts = [heads(x, 2) for x in (q + b[:8], k + b[8:16], v + b[16:])]
    seen, bias = np.array([[1] * 4 + [0] * 3, [1] * 7], np.int32), floats(1, 2, 5, 7)
    terms = np.where(seen, 0, -10000.0)[:, None, None] + bias
    c.add(ms + "MultiHeadAttention", [(q,), (k,), (v,), b, (seen,), (bias,)], joined(attend(*parts, terms=terms)), num_heads=2)
    before = [floats(2, 2, 3, 4), floats(2, 2, 3, 4)]
    now = [heads(x, 2) for x in (q, q, q)]
    keys, values = (np.concatenate(pair, 2) for pair in zip(before, now[1:]))
    terms = np.where(np.tril(np.ones((5, 8)), 3), 0, -1e38)
    c.add(ms + "MultiHeadAttention", [(q,), (q,), (q,), None, None, None, (before[0],), (before[1],)], joined(attend(now[0], keys, values, terms=terms)),
          keys, values, num_heads=2, unidirectional=1)

    cos, sin = floats(16, 2), floats(16, 2)
    for interleaved in (0, 1):
        x = floats(2, 5, 12)
        turned = rotate(heads(x, 3), cos[3:8], sin[3:8], interleaved)
        c.add(ms + "RotaryEmbedding", [(x,), np.array([3]), cos, sin], joined(turned), interleaved=interleaved)


def attend_groups(q, k, v, past, lengths, total, heads_of, angles=None, interleaved=0, window=0, cap=0, scale=None, places=None, bias=None, sink=None,
                  causal=1):
    """GroupQueryAttention sequence for sequence: the result, and all keys and values; what the operator leaves open is 0, or what was in the cache."""
    q, k, v = heads(q, heads_of[0]), heads(k, heads_of[1]), heads(v, heads_of[1])
    count, rows, size = q.shape[1] // k.shape[1], q.shape[2], q.shape[3]
    columns = max(total, past[0].shape[2] if past else 0)
    cache = [np.zeros((*k.shape[:2], columns, size), np.float32) for _ in range(2)]
    result = np.zeros(q.shape)
    for b, length in enumerate(lengths):
        begin = 0 if rows == total else length - rows
        where = begin + np.arange(rows)
        if places is not None:
            where = places[0, 0] + np.arange(rows) if rows == total else places[b]
        pair = [x[b] if angles is None else rotate(x[b], *(a[where] for a in angles), interleaved) for x in (q, k)]
        for whole, before, new in zip(cache, past or (None, None), (pair[1], v[b])):
            if past:
                whole[b, :, :before.shape[2]] = before[b]
            whole[b, :, begin:begin + rows] = new
        distance = np.arange(columns) - (begin + np.arange(rows))[:, None]
        kept = distance <= 0 if causal else np.broadcast_to(np.arange(columns) < length, distance.shape)
        kept = kept & (distance > -window) if window else kept
        keys, values = (x[b].repeat(count, 0) for x in cache)
        terms = np.zeros((1, rows, columns))
        if bias is not None:
            terms = np.concatenate([bias[b % len(bias)], np.zeros((bias.shape[1], rows, columns - total))], -1)
        if sink is not None:  # a key more, whose score is the sink and whose value is 0; the cap and the scale do not reach it
            scores = pair[0] @ keys.swapaxes(-1, -2) * (scale or 1 / math.sqrt(size))
            scores = np.where(kept, (cap * np.tanh(scores / cap) if cap else scores) + terms, -np.inf)
            shares = np.exp(np.concatenate([scores, np.broadcast_to(sink[:, None, None], (*scores.shape[:2], 1))], -1))
            result[b] = (shares / shares.sum(-1, keepdims=True))[..., :-1] @ values
        else:
            result[b] = attend(pair[0], keys, values, scale, terms, kept, cap)
    return joined(result), *cache


def add_groups(c, ms="com.microsoft:"):
    """GroupQueryAttention: 4 heads of queries, 2 of keys."""
    cos, sin, narrow = floats(16, 4), floats(16, 4), [floats(16, 2), floats(16, 2)]

    def case(rows, past, total, lengths, dynamic=True, packed=False, norms=None, **kw):
        batch = len(lengths)
        q, k, v = floats(batch, rows, 32), floats(batch, rows, 16), floats(batch, rows, 16)
        cache = [floats(batch, 2, past, 8), floats(batch, 2, past, 8)] if past else None
        counts = np.array(lengths, np.int32) - 1
        given = [(q,), (k,), (v,)] if not packed else [(np.concatenate([q, k, v], -1),), None, None]
        given += [(x,) for x in cache] if cache else [None, None]
        given += [(counts,) if dynamic else counts, np.int32(total)]
        given += list(kw["angles"]) if kw.get("angles") else [None, None]
        given += [(kw[name],) if name in kw else None for name in ("places", "bias")]
        given += [None if kw.get("smooth") else kw.get("sink")]
        attributes = {"num_heads": 4, "kv_num_heads": 2}
        names = {"window": "local_window_size", "cap": "softcap", "interleaved": "rotary_interleaved", "causal": "causal", "scale": "scale"}
        attributes.update({name: kw[key] for key, name in names.items() if key in kw})
        attributes.update({"do_rotary": 1} if kw.get("angles") else {}, **({"smooth_softmax": 1} if kw.get("smooth") else {}))
        if kw.pop("smooth", False):
            kw["sink"] = np.zeros(4)
        if norms:
            given += [None, None, *norms]
            attributes.update(qk_norm_epsilon=1e-3, k_norm_epsilon=1e-2)
            q = joined(rms_norm(heads(q, 4), norms[0], 1e-3))
            k = joined(rms_norm(heads(k, 2), norms[1], 1e-2))
        while given[-1] is None:
            given.pop()
        c.add(ms + "GroupQueryAttention", given, *attend_groups(q, k, v, cache, lengths, total, (4, 2), **kw), **attributes)

    full = (cos, sin)
    case(5, 0, 5, [5, 5])
    case(5, 0, 5, [5, 5], packed=True, angles=full)
    case(5, 0, 5, [5, 5], angles=narrow, interleaved=1, window=2)
    case(5, 0, 5, [5, 5], angles=full, places=np.array([[3, 9, 1, 2, 0], [0, 1, 2, 3, 4]]), cap=0.5, scale=0.3)
    case(5, 8, 5, [5, 5], angles=full, window=1)  # the first prompt into a cache that has room
    case(1, 6, 7, [7, 7], dynamic=False, angles=full)
    case(1, 6, 7, [7, 4], angles=full, bias=floats(2, 1, 1, 7))
    case(1, 9, 9, [7, 4], packed=True, angles=narrow, window=3, smooth=True)
    case(1, 9, 7, [7, 4], places=np.array([[11], [2]]), angles=full, interleaved=1)
    case(3, 6, 9, [9], angles=full)
    case(3, 6, 9, [6], angles=full, window=2)
    case(3, 12, 9, [6], bias=floats(1, 4, 3, 9), cap=0.7, sink=floats(4))
    case(3, 6, 9, [9, 9], dynamic=False, angles=full, places=np.array([[6, 7, 8], [1, 2, 3]]))
    case(3, 12, 10, [7, 7], dynamic=False, window=4, bias=floats(2, 4, 3, 10))
    case(3, 4, 7, [6, 6], dynamic=False, angles=full)  # a row of the cache is nobody's
    case(5, 0, 5, [5, 3], causal=0, smooth=True)
    case(1, 8, 8, [5, 4], causal=0)
    case(3, 8, 8, [6, 6], causal=0, dynamic=False)
    case(1, 6, 7, [5, 7], angles=full, norms=(floats(8), floats(8)))


def add_later(c):
    """Operators of ONNX from opset 23 on."""
    x, scale = floats(2, 5, 12), floats(12)
    c.add("RMSNormalization", [(x,), scale], rms_norm(x, scale))
    c.add("Swish", [(x,)], x * sigmoid(0.75 * x), alpha=0.75)
    c.add("SwiGLU", [(x,), (2 * x,)], 2 * x * x * sigmoid(x))
    picture = floats(1, 2, 4, 6)
    split = picture.reshape(1, 2, 2, 2, 3, 2)
    c.add("SpaceToDepth", [(picture,)], split.transpose(0, 1, 3, 5, 2, 4).reshape(1, 8, 2, 3), blocksize=2, mode="CRD")

    q, k, v = floats(2, 4, 5, 6), floats(2, 2, 7, 6), floats(2, 2, 7, 3)
    keys, values = k.repeat(2, 1), v.repeat(2, 1)
    c.add("Attention", [(q,), (k,), (v,)], attend(q, keys, values))
    c.add("Attention", [(q,), (k,), (v,)], attend(q, keys, values, 0.3, cap=2), softcap=2.0, scale=0.3)
    c.add("Attention", [(q,), (k,), (v,)], attend(q, keys, values, kept=np.tril(np.ones((5, 7)))), is_causal=1)
    distance = np.arange(7) - np.arange(5)[:, None]
    c.add("Attention", [(q,), (k,), (v,)], attend(q, keys, values, kept=(distance >= -1) & (distance <= 2)), left_window_size=1, right_window_size=2)
    kept = random.integers(0, 2, (2, 1, 5, 7)).astype(bool)
    kept[1, 0, 2] = False  # gives zeros
    c.add("Attention", [(q,), (k,), (v,), (kept,)], attend(q, keys, values, kept=kept))
    c.add("Attention", [(q,), (k,), (v,), kept], attend(q, keys, values, kept=kept))
    term = floats(1, 5, 7)
    c.add("Attention", [(q,), (k,), (v,), (term,)], attend(q, keys, values, terms=term))
    # A query that sees no key gives zeros: by terms of -inf, by what the mask and the order hide together, by the window, in a sequence of no length.
    term = np.where(kept, floats(2, 1, 5, 7), -np.inf).astype(np.float32)
    for mask in ((term,), term):
        c.add("Attention", [(q,), (k,), (v,), mask], attend(q, keys, values, terms=term))
    order = np.tri(5, 7, dtype=bool)
    behind = np.broadcast_to(np.arange(7) > 0, (5, 7))  # the first query sees the first key alone, which this hides
    for mask in ((behind,), behind):
        c.add("Attention", [(q,), (k,), (v,), mask], attend(q, keys, values, kept=behind & order), is_causal=1)
    term = np.where(behind, floats(5, 7), -np.inf).astype(np.float32)
    for mask in ((term,), term):
        c.add("Attention", [(q,), (k,), (v,), mask], attend(q, keys, values, terms=term, kept=order), is_causal=1)
    c.add("Attention", [(q,), (k[:, :, :3],), (v[:, :, :3],)], attend(q, keys[:, :, :3], values[:, :, :3], kept=np.eye(5, 3)), left_window_size=0, right_window_size=0)
    lengths = np.array([0, 6])
    c.add("Attention", [(q,), (k,), (v,), (kept,), None, None, (lengths,)],
          attend(q, keys, values, kept=kept & (np.arange(7) < lengths[:, None])[:, None, None]))
    lengths = np.array([3, 6])
    c.add("Attention", [(q,), (k,), (v,), None, None, None, (lengths,)], attend(q, keys, values, kept=(np.arange(7) < lengths[:, None])[:, None, None]))
    flat = floats(2, 5, 24), floats(2, 7, 12), floats(2, 7, 6)
    parts = [heads(x, n) for x, n in zip(flat, (4, 2, 2))]
    c.add("Attention", [(x,) for x in flat], joined(attend(parts[0], parts[1].repeat(2, 1), parts[2].repeat(2, 1))), q_num_heads=4, kv_num_heads=2)
    before = floats(2, 2, 3, 6), floats(2, 2, 3, 3)
    whole = [np.concatenate(pair, 2) for pair in zip(before, (k, v))]
    c.add("Attention", [(q,), (k,), (v,), None, (before[0],), (before[1],)],
          attend(q, whole[0].repeat(2, 1), whole[1].repeat(2, 1), kept=np.tril(np.ones((5, 10)), 3)), *whole, is_causal=1)

    cos, sin, places = floats(16, 2), floats(16, 2), random.integers(0, 16, (2, 5))
    for interleaved in (0, 1):
        x = floats(2, 3, 5, 6)
        turned = rotate(x, cos[places][:, None], sin[places][:, None], interleaved)
        c.add("RotaryEmbedding", [(x,), cos, sin, places], turned, interleaved=interleaved, rotary_embedding_dim=4)
        x, angles = floats(2, 5, 12), [floats(2, 5, 2), floats(2, 5, 2)]
        turned = rotate(heads(x, 3), angles[0][:, None], angles[1][:, None], interleaved)
        c.add("RotaryEmbedding", [(x,), (angles[0],), (angles[1],)], joined(turned), interleaved=interleaved, num_heads=3)


def make(opset):
    cases = Cases(opset)
    if opset < 23:
        add_simple(cases), add_contractions(cases), add_attention(cases), add_groups(cases), add_classical(cases)
    else:
        add_later(cases)
    return cases


def main():
    if sys.argv[1] == "model":
        cases = make(int(sys.argv[3]))
        with open(sys.argv[2], "wb") as file:
            file.write(cases.model.serialize())
        np.savez(sys.argv[4], **cases.data)
        return
    cases, result, wrong = make(int(sys.argv[2])), np.load(sys.argv[3]), 0
    for name, expected in cases.expected.items():
        got = result[name].astype(np.float64)  # with an axis of samples, which takes the place of a first one of size 1
        error = np.abs(got.reshape(expected.shape) - expected).max() if got.size == expected.size else math.inf
        if not error <= 1e-5 * max(1, np.abs(expected).max()):
            print(f"{name}: {got.shape} for {expected.shape}, off by {error:.3g}")
            wrong += 1
    print(f"{len(cases.expected)} results, {wrong} wrong")


if __name__ == "__main__":
    main()
