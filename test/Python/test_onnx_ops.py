"""Every supported operator against ONNX's own test vectors (Debian's libonnx-testdata).

The cases are listed in onnx_node_tests.txt. Each model is imported, its inputs become constants, and the evaluator runs
it twice: as imported, and after the import stage's pipeline (channels last, folded). Inputs that must be constant for
the import (shapes, axes, pads, ...) become initializers first.
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import numpy

import onnx_tensors

FOLDER = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("HALFTONE_BUILD", FOLDER.parent.parent / "build"))
DATA = pathlib.Path("/usr/share/libonnx-testdata/data/node")
CASES = [line for line in (FOLDER / "onnx_node_tests.txt").read_text().split("\n") if line and line[0] != "#"]

# Operators whose inputs from this one on must be constant.
FIRST_CONSTANT = {"ConvTranspose": 1, "Reshape": 1, "Expand": 1, "Slice": 1, "Pad": 1, "Squeeze": 1, "Unsqueeze": 1, "Split": 1, "Resize": 1,
                  "ReduceMean": 1, "ReduceSum": 1, "ReduceMax": 1, "ReduceMin": 1, "Tile": 1, "Upsample": 1, "Trilu": 1,
                  "GRU": 1, "LSTM": 1, "RNN": 1, "OneHot": 1, "ScatterND": 1, "DFT": 1, "STFT": 1, "TopK": 1, "If": 0, "BlackmanWindow": 0, "HammingWindow": 0, "HannWindow": 0, "Loop": 0, "NonZero": 0, "ConstantOfShape": 0, "Range": 0, "Mod": 1}
# Operators that the importer computes if all inputs are constant: their cases run in this way, too.
FOLDED = {"And", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "Or", "Xor", "Where", "Gather", "GatherElements", "ScatterElements", "ScatterND", "Mod", "ConstantOfShape", "QuantizeLinear", "DequantizeLinear"}
# Operators that have a form of their own if all inputs but the first are constant: their cases run in this way, too.
FROZEN = {"ConvInteger", "DequantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear", "ReverseSequence"}
MLIR_TYPES = {"float32": "f32", "uint8": "i8", "int8": "i8", "int32": "i32", "int64": "i64", "bool": "i1"}


def run(tool, *arguments):
    result = subprocess.run([str(BUILD / "bin" / tool), *map(str, arguments)], capture_output=True, text=True)
    if result.returncode:
        raise AssertionError(f"{tool} {' '.join(map(str, arguments))}\n{result.stderr}")
    return result.stdout


def read_set(case):
    """The serialized inputs and the expected outputs of a case's first data set."""
    folder = DATA / f"test_{case}" / "test_data_set_0"
    count = lambda kind: len(list(folder.glob(f"{kind}_*.pb")))
    inputs = [(folder / f"input_{i}.pb").read_bytes() for i in range(count("input"))]
    outputs = [onnx_tensors.read_tensor((folder / f"output_{i}.pb").read_bytes())[1] for i in range(count("output"))]
    return inputs, outputs


def read_model(case):
    return (DATA / f"test_{case}" / "model.onnx").read_bytes()


def import_case(case, folder, first=None):
    """The imported module's text, and the arrays of the inputs that are left: those before the first constant one."""
    model = read_model(case)
    inputs, _ = read_set(case)
    if first is None:
        first = min(FIRST_CONSTANT.get(op, len(inputs)) for op in onnx_tensors.operators(model))
    names = onnx_tensors.input_names(model)
    for name, tensor in list(zip(names, inputs))[first:]:
        model = onnx_tensors.freeze_input(model, name, tensor)
    path = folder / f"{case}.onnx"
    path.write_bytes(model)
    return run("halftone-translate", "--import-onnx", path), [onnx_tensors.read_tensor(i)[1] for i in inputs[:first]]


def constant(array):
    """An arith.constant of the array."""
    shape = "".join(f"{size}x" for size in array.shape)
    type = f"tensor<{shape}{MLIR_TYPES[array.dtype.name]}>"
    if array.dtype == numpy.bool_ or array.size == 0:
        value = json.dumps(array.tolist())
    else:
        value = f'"0x{array.tobytes().hex()}"'
    return f"arith.constant dense<{value}> : {type}"


def bind_arguments(module, case, arrays):
    """The module with @main as a function `case` whose arguments are constants."""
    signature = re.search(r"func\.func @main\((.*)\) -> (.*) \{\n", module)
    names = re.findall(r"(%\w+): tensor", signature.group(1))
    constants = "".join(f"    {name} = {constant(array)}\n" for name, array in zip(names, arrays))
    head = f"func.func @{case}() -> {signature.group(2)} {{\n{constants}"
    return module[:signature.start()] + head + module[signature.end():]


def evaluate(modules, folder):
    """Results by "case#i": flat lists of numbers."""
    path = folder / "all.mlir"
    path.write_text("\n// -----\n".join(modules))
    output = run("halftone-opt", path, "--split-input-file", "--halftone-expand-math", "--halftone-evaluate", "-o",
                 os.devnull)
    results = {}
    for line in output.splitlines():
        match = re.match(r"(\w+#\d+): (\S+) = ?(.*)", line)
        if match:
            results[match.group(1)] = [float(number) for number in match.group(3).split()]
    return results


def cases_with(operators):
    return [case for case in CASES if operators.intersection(onnx_tensors.operators(read_model(case)))]


# By name: the case, and the first input that is constant (none: as its operators need it).
COMPILED = {case: (case, None) for case in CASES}
COMPILED.update({f"{case}_frozen": (case, 1) for case in cases_with(FROZEN)})
RUNS = {**COMPILED, **{f"{case}_folded": (case, 0) for case in cases_with(FOLDED)}}


class OnnxNodeTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            imported = {name: import_case(case, folder, first) for name, (case, first) in RUNS.items()}
            arrays = [arrays for _, arrays in imported.values()]
            texts = [text for text, _ in imported.values()]
            cls.imported = evaluate(map(bind_arguments, texts, RUNS, arrays), folder)
            path = folder / "imported.mlir"
            path.write_text("\n// -----\n".join(texts))
            staged = run("halftone-opt", path, "--split-input-file", "--halftone-import-pipeline").split("// -----")
            cls.staged = evaluate(map(bind_arguments, staged, RUNS, arrays), folder)

    def check(self, name):
        _, outputs = read_set(RUNS[name][0])
        for form, results in (("imported", self.imported), ("after the import stage", self.staged)):
            for i, expected in enumerate(outputs):
                self.assertIn(f"{name}#{i}", results, form)
                actual = numpy.array(results[f"{name}#{i}"])
                if expected.dtype in (numpy.uint8, numpy.bool_):
                    actual = actual % (256 if expected.dtype == numpy.uint8 else 2)
                numpy.testing.assert_allclose(actual, expected.ravel().astype(float), rtol=1e-4, atol=1e-5, err_msg=form)


for name in RUNS:
    setattr(OnnxNodeTests, f"test_{name}", lambda self, name=name: self.check(name))

if __name__ == "__main__":
    unittest.main()
