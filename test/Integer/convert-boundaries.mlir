// RUN: halftone-opt %s --halftone-convert-boundaries | FileCheck %s
// RUN: halftone-opt %s --mlir-disable-threading --halftone-evaluate -o /dev/null | FileCheck %s --check-prefix=VALUES
// RUN: halftone-opt %s --halftone-convert-boundaries | halftone-opt --mlir-disable-threading --halftone-evaluate -o /dev/null | FileCheck %s --check-prefix=VALUES

!qx = !quant.uniform<i8:f32, 0.5:-3>

// CHECK-LABEL: @entry
// CHECK: %[[N:.*]] = tensor.dim %arg0, %c0 : tensor<?x8xf32>
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<?x8xf32>) outs(%{{.*}} : tensor<?x8xi8>)
// CHECK: arith.divf
// CHECK: arith.cmpf ogt
// CHECK: arith.select
// CHECK: arith.cmpf olt
// CHECK: arith.select
// CHECK: math.roundeven
// CHECK: arith.fptosi
// CHECK: arith.addi
// CHECK: arith.trunci
// CHECK: return %{{.*}} : tensor<?x8xi8>
func.func @entry(%x: tensor<?x8xf32>) -> tensor<?x8xi8> {
  %q = halftone.quantize %x : tensor<?x8xf32> to tensor<?x8x!qx>
  %i = quant.scast %q : tensor<?x8x!qx> to tensor<?x8xi8>
  return %i : tensor<?x8xi8>
}

// Extremes: half to even, the ends of the range, infinities and NaN.
// VALUES: values#0: 8xi8 = -3 -3 -1 127 -128 127 -128 -128
func.func @values() -> tensor<8xi8> {
  %x = arith.constant dense<[0.0, 0.25, 0.75, 65.0, -62.5, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<8xf32>
  %q = halftone.quantize %x : tensor<8xf32> to tensor<8x!qx>
  %i = quant.scast %q : tensor<8x!qx> to tensor<8xi8>
  return %i : tensor<8xi8>
}

// VALUES: exit#0: 3xf32 = -62.5 0 65
func.func @exit() -> tensor<3xf32> {
  %c = arith.constant dense<[-128, -3, 127]> : tensor<3xi8>
  %q = quant.scast %c : tensor<3xi8> to tensor<3x!qx>
  %x = halftone.dequantize %q : tensor<3x!qx> to tensor<3xf32>
  return %x : tensor<3xf32>
}

// VALUES: by_channel#0: 2x2xf32 = 63.5 -31.75 0.5 0.5
func.func @by_channel() -> tensor<2x2xf32> {
  %c = arith.constant dense<[[127, -127], [1, 2]]> : tensor<2x2xi8>
  %q = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %x = halftone.dequantize %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}

// CHECK-LABEL: @codebook
// CHECK: halftone.lookup
// VALUES: codebook#0: 2x2xf32 = -50 50 -1 4
func.func @codebook() -> tensor<2x2xf32> {
  %c = arith.constant dense<[[0, 3], [1, 2]]> : tensor<2x2xi8>
  %l = arith.constant dense<[-100, -1, 4, 100]> : tensor<4xi8>
  %s = arith.constant dense<[0.5, 1.0]> : tensor<2xf32>
  %q = halftone.storage_cast %c : tensor<2x2xi8> to tensor<2x2x!halftone.codebook<2, axis = 0>>
  %x = halftone.dequantize %q levels(%l : tensor<4xi8>) scales(%s : tensor<2xf32>)
      : tensor<2x2x!halftone.codebook<2, axis = 0>> to tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}
