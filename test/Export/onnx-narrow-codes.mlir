// QuantizeLinear saturates where int8 ends: values are clipped where codes of fewer do, those of the second factor of a product of activations.

// REQUIRES: numpy
// RUN: halftone-translate --export-onnx %s -o %t.onnx
// RUN: %python %S/Inputs/show.py %t.onnx | FileCheck %s
// RUN: halftone-translate --import-onnx %t.onnx | FileCheck %s --check-prefix=BACK

!q = !quant.uniform<i8<-127:127>:f32, 0.5>
module attributes {halftone.stage = "quantization", halftone.version = 1 : i64} {
func.func @main(%x: tensor<1x4xf32> {halftone.name = "x"}) -> (tensor<1x4xf32> {halftone.name = "y"}) {
  %q = halftone.quantize %x : tensor<1x4xf32> to tensor<1x4x!q> loc("codes")
  %y = halftone.dequantize %q : tensor<1x4x!q> to tensor<1x4xf32> loc("codes")
  return %y : tensor<1x4xf32>
}
}

// CHECK: codes = Clip(x; f32 -63.5; f32 63.5)
// CHECK: codes/QuantizeLinear = QuantizeLinear(codes; f32 0.5; i8 0)
// CHECK: y = DequantizeLinear(codes/QuantizeLinear; f32 0.5; i8 0)
// BACK-DAG: arith.constant {{.*}}-6.350000e+01
// BACK-DAG: arith.constant {{.*}}6.350000e+01
// BACK: quantize
