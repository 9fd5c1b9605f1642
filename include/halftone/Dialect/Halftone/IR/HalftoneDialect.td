//===- HalftoneDialect.td - the halftone dialect ---------------*- tablegen -*-===//
#ifndef HALFTONE_DIALECT
#define HALFTONE_DIALECT

include "mlir/IR/OpBase.td"

def Halftone_Dialect : Dialect {
  let name = "halftone";
  let cppNamespace = "::mlir::halftone";
  let summary = "Quantization of neural networks: casts, composites, observers and kernels";
  let description = [{
    The one own dialect of the compiler. Its casts (`quantize`, `dequantize`) stand between float compute and
    quantized tensors, `composite` keeps the name of a subgraph beside its meaning, `observe` gathers calibration
    statistics, `lookup` and `contract` are the kernels that the code generator has beyond linalg.

    Discardable attributes: `halftone.name` on arguments and results of the entry function (the source model's
    names), `halftone.dims` on arguments (one `#halftone.dim` or `unit` for each dimension), `halftone.unsigned` on
    arguments and results whose i8 elements are unsigned in the source model, `halftone.range` on
    operations and arguments (calibrated range, `array<f32: low, high>`), `halftone.precision` on operations
    (`"int8"` or `"float"`), `halftone.reason` on operations (why an operation stays float), `halftone.pruned` on
    contractions (the zeros of their constant weights stay zero: `"unstructured"`, `"blocks"` or `"n:m"`) with their
    number in `halftone.zeros`, `halftone.steps` on what each step of a loop that is written out makes (the value's name: values of one name are counted
    together, and have one range), `halftone.stage`,
    `halftone.version` and `halftone.source_hash` on the module; `halftone.external_bytes`, those of the data beside an ONNX file.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

#endif // HALFTONE_DIALECT
