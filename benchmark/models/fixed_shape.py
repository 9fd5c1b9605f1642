"""A model whose input has the sizes that are asked for."""

import onnx


def fix_shape(model, shape):
    """Says the input's shape; what is recorded of inner and output shapes goes."""
    for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape):
        dim.dim_value = size
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model)
