"""Runs an exported model in NumPy, by ONNX's definitions, and compares its outputs with those of an .npz file:

    run.py MODEL.onnx INPUT.npz OUTPUT.npz LIMIT

Fails where an element differs by more than LIMIT; prints the largest difference. f32 throughout, so that codes that lie
half-way may differ by one.
"""
import sys

import numpy as np

from onnx_model import Model

F32 = np.float32


def axis_shape(parameter, rank, axis):
    """A scale or zero point in the shape in which it broadcasts."""
    if parameter.ndim == 0:
        return parameter
    shape = [1] * rank
    shape[axis] = parameter.size
    return parameter.reshape(shape)


def quantize(x, scale, zero, axis=1):
    limits = np.iinfo(zero.dtype)
    codes = np.rint(x / axis_shape(scale, x.ndim, axis)) + axis_shape(zero, x.ndim, axis)
    return np.clip(codes, limits.min, limits.max).astype(zero.dtype)


def dequantize(codes, scale, zero=None, axis=1):
    zero = np.zeros(scale.shape, codes.dtype) if zero is None else zero
    difference = codes.astype(np.int64) - axis_shape(zero, codes.ndim, axis).astype(np.int64)
    return difference.astype(F32) * axis_shape(scale, codes.ndim, axis)


WINDOW = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0)}


def windows(x, kernel_shape, strides, dilations, pads, fill):
    """One strided view of the padded input for each tap, and the tap."""
    x = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])], constant_values=fill)
    out = [(x.shape[d + 2] - dilations[d] * (kernel_shape[d] - 1) - 1) // strides[d] + 1 for d in range(2)]
    for i, j in np.ndindex(*kernel_shape):
        begin = [i * dilations[0], j * dilations[1]]
        end = [begin[d] + (out[d] - 1) * strides[d] + 1 for d in range(2)]
        yield (i, j), x[:, :, begin[0]:end[0]:strides[0], begin[1]:end[1]:strides[1]]


def conv(x, w, bias=None, group=1, **attributes):
    window = {**WINDOW, "kernel_shape": w.shape[2:], **attributes}
    parts = []
    for g in range(group):
        filters = w[g * len(w) // group:(g + 1) * len(w) // group]
        channels = x[:, g * w.shape[1]:(g + 1) * w.shape[1]]
        parts.append(sum(np.einsum("nchw,oc->nohw", view, filters[:, :, i, j]) for (i, j), view in
                         windows(channels, fill=0, **window)))
    result = np.concatenate(parts, axis=1)
    return result if bias is None else result + bias[:, None, None]


def max_pool(x, **attributes):
    return np.max([view for _, view in windows(x, fill=-np.inf, **{**WINDOW, **attributes})], axis=0)


def gemm(a, b, c=0, transB=0):
    return a @ (b.T if transB else b) + c


def reshape(x, shape):
    return x.reshape(shape)


OPERATORS = {
    "Add": np.add,
    "Concat": lambda *parts, axis: np.concatenate(parts, axis),
    "Clip": lambda x, low=None, high=None: np.clip(x, low, high),
    "Conv": conv,
    "DequantizeLinear": dequantize,
    "Flatten": lambda x, axis=1: x.reshape(int(np.prod(x.shape[:axis])), -1),
    "Gemm": gemm,
    "GlobalAveragePool": lambda x: x.mean(axis=(2, 3), keepdims=True, dtype=F32),
    "MatMul": np.matmul,
    "MaxPool": max_pool,
    "Mul": np.multiply,
    "QuantizeLinear": quantize,
    "Relu": lambda x: np.maximum(x, 0),
    "Reshape": reshape,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Transpose": lambda x, perm: x.transpose(perm),
}


def run(model, inputs):
    """The outputs for one batch."""
    tensors = {"": None, **model.constants, **inputs}
    for node in model.nodes:
        operands = [tensors[name] for name in node.inputs]
        tensors[node.outputs[0]] = OPERATORS[node.type](*operands, **node.attributes)
    return {output.name: tensors[output.name] for output in model.outputs}


def main(path, input_path, output_path, limit):
    model, samples, expected = Model(path), np.load(input_path), np.load(output_path)
    batch = model.inputs[0].shape[0]
    step = batch if isinstance(batch, int) else 16
    whole = {value.name: samples[value.name] for value in model.inputs}
    count = len(next(iter(whole.values())))
    parts = [run(model, {name: array[i:i + step] for name, array in whole.items()}) for i in range(0, count, step)]
    for output in model.outputs:
        actual = np.concatenate([part[output.name] for part in parts])
        reference = expected[output.name].reshape(actual.shape)
        largest = np.abs(actual - reference).max()
        print(f"{output.name}: {np.mean(actual == reference):.2%} equal, largest difference {largest:.3g}")
        assert largest <= float(limit), f"more than {limit}"


main(*sys.argv[1:])
