"""A small convolutional network for 28 x 28 pictures, with seeded weights, as ONNX."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_small_cnn(path, seed):
    random = np.random.default_rng(seed)
    shapes = {"w1": (16, 1, 3, 3), "w2": (32, 16, 3, 3), "w3": (32 * 7 * 7, 10)}
    values = {name: random.normal(0, (2 / (shape[0] if name == "w3" else np.prod(shape[1:]))) ** 0.5, shape)
              for name, shape in shapes.items()}
    values |= {"b1": np.zeros(16), "b2": np.zeros(32), "b3": np.zeros(10)}
    constants = [numpy_helper.from_array(v.astype(np.float32), n) for n, v in values.items()]
    nodes = []
    source = "image"
    for k in "12":
        nodes += [helper.make_node("Conv", [source, "w" + k, "b" + k], ["c" + k], name="conv" + k, pads=[1] * 4),
                  helper.make_node("Relu", ["c" + k], ["r" + k]),
                  helper.make_node("MaxPool", ["r" + k], ["p" + k], kernel_shape=[2, 2], strides=[2, 2])]
        source = "p" + k
    nodes += [helper.make_node("Flatten", [source], ["flat"]),
              helper.make_node("Gemm", ["flat", "w3", "b3"], ["logits"], name="classifier")]
    graph = helper.make_graph(
        nodes, "small_cnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
