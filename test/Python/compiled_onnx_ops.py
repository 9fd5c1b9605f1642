"""ONNX's node tests through the whole compiler, without samples: compiled_onnx_ops.py [--every N] [--target-cpu CPU] [--exported]

Every Nth case of test_onnx_ops.py is built, loaded and run; outputs must have the type and shape of the expected ones
and their values. With --exported each is exported first, and the exported model built. Prints each case that fails, and a last line with the count.
"""
import argparse
import ctypes
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy

import onnx_tensors
import test_onnx_ops

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "Target/Inputs"))
import artefact  # noqa: E402

DTYPES = {1: numpy.float32, 2: numpy.int8, 3: numpy.uint8, 4: numpy.int32, 5: numpy.int64, 6: numpy.bool_}


def aligned(size):
    """A buffer of at least one byte at an address that is a multiple of 64."""
    buffer = numpy.zeros(size + 128, numpy.uint8)
    start = -buffer.ctypes.data % 64
    return buffer[start:start + max(size, 1)]


def pointers(buffers):
    return (ctypes.c_void_p * max(1, len(buffers)))(*[buffer.ctypes.data for buffer in buffers])


def run(library, arrays):
    """The outputs of a compiled model."""
    model = artefact.load(str(library))
    inputs, outputs, results = [], [], []
    for array in arrays:
        inputs.append(aligned(array.nbytes))
        inputs[-1][:array.nbytes] = numpy.frombuffer(array.tobytes(), numpy.uint8)
    for tensor in model.outputs[:model.numOutputs]:
        shape, dtype = artefact.shape(tensor, 1), numpy.dtype(DTYPES[tensor.type])
        size = int(numpy.prod(shape, dtype=int)) * dtype.itemsize
        outputs.append(aligned(size))
        results.append(outputs[-1][:size].view(dtype).reshape(shape))
    workspace = aligned(model.workspaceBytes)
    status = model.run(pointers(inputs), pointers(outputs), 1, workspace.ctypes.data, artefact.PARALLEL_FOR(), None)
    assert status == 0, f"run returned {status}"
    return results


def check(name, folder, target, exported):
    case, first = test_onnx_ops.COMPILED[name]
    _, arrays = test_onnx_ops.import_case(case, folder, first)
    model, library = folder / f"{case}.onnx", folder / f"{case}.so"
    if exported:
        test_onnx_ops.run("halftone", "export", model, "-o", folder / "exported.onnx")
        model = folder / "exported.onnx"
    test_onnx_ops.run("halftone", "build", f"--target-cpu={target}", model, "-o", library)
    for actual, expected in zip(run(library, arrays), test_onnx_ops.read_set(case)[1]):
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), f"{actual.dtype} {actual.shape}"
        numpy.testing.assert_allclose(actual.astype(float), expected.astype(float), rtol=1e-4, atol=1e-5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--target-cpu", default="native")
    parser.add_argument("--exported", action="store_true")
    options = parser.parse_args()
    # Integer products and scattering have no form in an export.
    cases = [case for case in test_onnx_ops.COMPILED if not (options.exported and re.search("convinteger|matmulinteger|scatter_elements", case))]
    cases, failed = cases[::options.every], 0
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(case, pathlib.Path(folder), options.target_cpu, options.exported)
            except (AssertionError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"{case}: {error}")
    print(f"{len(cases) - failed} of {len(cases)} cases agree")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
