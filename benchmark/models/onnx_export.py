"""One way to write a torch model as ONNX, for all models of the benchmark."""

import copy

import torch


def export_onnx(model, shape, path, keep_batch_norm=False):
    """Writes `model` with input `image` of `shape` and output `logits`, opset 17.

    By default batch normalization is folded into the convolutions, as PyTorch's
    exporter does for a model in evaluation mode; `keep_batch_norm` leaves it as
    ops, which is what exporters of other frameworks write.
    """
    model = copy.deepcopy(model).eval()
    mode = torch.onnx.TrainingMode
    torch.onnx.export(
        model, (torch.zeros(shape),), str(path), dynamo=False, opset_version=17,
        input_names=["image"], output_names=["logits"],
        do_constant_folding=not keep_batch_norm,
        training=mode.PRESERVE if keep_batch_norm else mode.EVAL)
