"""Halftone: a float neural network in, an exact int8 CPU library out.

    import halftone

    model = halftone.build("model.onnx", data={"x": samples})   # float32 [N, ...], N samples
    y = model.run({"x": x})["y"]                                 # or model(x)

`build` and the other commands run the program `halftone` in a process of its own, with the options that `halftone COMMAND --help` lists;
`Model` runs what they make in this one. docs/Python.md has examples.
"""
from ._driver import Command, ModelCommand
from ._error import Error, Status
from ._runtime import Layer, Model, Profile, Size, Tensor

__version__ = "0.1.0"

build = ModelCommand("build")
import_ = Command("import")
calibrate = Command("calibrate")
quantize = Command("quantize")
prune = Command("prune")
train = Command("train")
export = Command("export")
compile = ModelCommand("compile")
bench = Command("bench")
compare = Command("compare")
check = Command("check")
info = Command("info")

__all__ = ["Command", "Error", "Layer", "Model", "ModelCommand", "Profile", "Size", "Status", "Tensor", "bench", "build", "calibrate", "check",
           "compare", "compile", "export", "import_", "info", "prune", "quantize", "train"]
