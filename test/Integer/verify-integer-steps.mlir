// RUN: halftone-opt %s --halftone-verify-integer -o /dev/null 2>&1 | FileCheck %s

// Operations of one place, as the steps of a recurrent network are, that stay float for one reason are one remark.
// CHECK: steps.onnx:1:1{{.*}}: remark: stays float (exp): not between quantized tensors (2 operations)
// CHECK-NOT: exp
#step = loc("steps.onnx":1:1)
module {
  func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
    %a = halftone.composite "exp"(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%i: tensor<4xf32>):
      halftone.yield %i : tensor<4xf32>
    } loc(#step)
    %b = halftone.composite "exp"(%a) {} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%i: tensor<4xf32>):
      halftone.yield %i : tensor<4xf32>
    } loc(#step)
    return %b : tensor<4xf32>
  }
}
