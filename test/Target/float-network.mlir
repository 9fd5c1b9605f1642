// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=reference --halftone-target-pipeline --halftone-write-target="target-cpu=reference name=small output=%t.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=x86-64-v3 --halftone-target-pipeline --halftone-write-target="target-cpu=x86-64-v3 output=%t-v3.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline --halftone-target-pipeline --halftone-write-target="output=%t-native.so" -o /dev/null
// RUN: python3 %S/Inputs/artefact.py info %t.so | FileCheck %s --check-prefix=INFO
// RUN: python3 %S/Inputs/artefact.py layers %t-v3.so | FileCheck %s --check-prefix=LAYERS
// RUN: llvm-nm %t-v3.so | FileCheck %s --check-prefix=SYMBOLS
// RUN: python3 %S/Inputs/artefact.py run %t.so 1 | FileCheck %s --check-prefix=VALUES
// RUN: python3 %S/Inputs/artefact.py same %t.so %t-v3.so %t-native.so | FileCheck %s --check-prefix=SAME
// RUN: llvm-readelf -d --dyn-syms -n %t.so | FileCheck %s --check-prefix=ELF

// A float network with a dynamic batch: convolution, bias, Relu, max pool, matrix product; two outputs. The expected
// scores are those of the same network in NumPy.

// INFO: model small target reference needs avx,avx2,
// INFO: source abc123 batch 1 4 constants 736 workspace {{[0-9]+}} alignment 64
// INFO: input x f32 [-1, 6, 6, 2]
// INFO: output scores f32 [-1, 3]
// INFO: output features f32 [-1, 6, 6, 4]

// The layers, each one a local symbol that a profiler shows.
// LAYERS: | conv 3x3/1 | fma_256 | Bx8x8x2 -> Bx6x6x4 | per sample | 2592 multiply-accumulates, reads 512 writes 576
// LAYERS: | max pool 3x3/2 | vector_256 | Bx8x8x4 -> Bx3x3x4
// LAYERS: | matmul | fma_256 | {{.*}} | per sample | 108 multiply-accumulates
// SYMBOLS: t layer_0

// VALUES: status 0
// VALUES-NEXT: -17.77844 2.016036 -10.90306
// SAME: same bits: 3 artefacts

// ELF-NOT: NEEDED
// ELF: Library soname: [small.so]
// ELF-NOT: NEEDED
// ELF: contains 2 entries
// ELF: halftone_query
// ELF: Halftone

#id2 = affine_map<(n, c) -> (n, c)>
#c2 = affine_map<(n, c) -> (c)>
#id4 = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c4 = affine_map<(n, h, w, c) -> (c)>
module attributes {halftone.source_hash = "abc123"} {
func.func @main(%x: tensor<?x6x6x2xf32> {halftone.name = "x", halftone.dims = [#halftone.dim<"batch", 1, 4>, unit, unit, unit]})
   -> (tensor<?x3xf32> {halftone.name = "scores"}, tensor<?x6x6x4xf32> {halftone.name = "features"}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x6x6x2xf32>
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense_resource<w> : tensor<3x3x2x4xf32>
  %b = arith.constant dense<[0.5, -0.25, 0.125, 1.0]> : tensor<4xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<?x6x6x2xf32> to tensor<?x8x8x2xf32>
  %e = tensor.empty(%n) : tensor<?x6x6x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x6x6x4xf32>) -> tensor<?x6x6x4xf32>
  %c = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} ins(%p, %w : tensor<?x8x8x2xf32>, tensor<3x3x2x4xf32>) outs(%f : tensor<?x6x6x4xf32>) -> tensor<?x6x6x4xf32>
  %e2 = tensor.empty(%n) : tensor<?x6x6x4xf32>
  %r = linalg.generic {indexing_maps = [#id4, #c4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
     ins(%c, %b : tensor<?x6x6x4xf32>, tensor<4xf32>) outs(%e2 : tensor<?x6x6x4xf32>) {
  ^bb0(%a: f32, %bb: f32, %o: f32):
    %s = arith.addf %a, %bb : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?x6x6x4xf32>
  %p2 = tensor.pad %r low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<?x6x6x4xf32> to tensor<?x8x8x4xf32>
  %e3 = tensor.empty(%n) : tensor<?x3x3x4xf32>
  %ninf = arith.constant 0xFF800000 : f32
  %f3 = linalg.fill ins(%ninf : f32) outs(%e3 : tensor<?x3x3x4xf32>) -> tensor<?x3x3x4xf32>
  %win = tensor.empty() : tensor<3x3xf32>
  %mp = linalg.pooling_nhwc_max {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} ins(%p2, %win : tensor<?x8x8x4xf32>, tensor<3x3xf32>) outs(%f3 : tensor<?x3x3x4xf32>) -> tensor<?x3x3x4xf32>
  %flat = tensor.collapse_shape %mp [[0], [1, 2, 3]] : tensor<?x3x3x4xf32> into tensor<?x36xf32>
  %w2 = arith.constant dense_resource<w2> : tensor<36x3xf32>
  %e4 = tensor.empty(%n) : tensor<?x3xf32>
  %f4 = linalg.fill ins(%zero : f32) outs(%e4 : tensor<?x3xf32>) -> tensor<?x3xf32>
  %mm = linalg.matmul ins(%flat, %w2 : tensor<?x36xf32>, tensor<36x3xf32>) outs(%f4 : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %mm, %r : tensor<?x3xf32>, tensor<?x6x6x4xf32>
}
}

{-#
 dialect_resources: { builtin: {
  w: "0x040000009c343bbfd6e2313f780d073f2fcffabe449515bc75e2cebd303b9b3e8cd3133fa3f14fbf717c71bf67e92b3f6bb109be9349063ff5eb7ebfadb1dfbd64dbe23eaedf0abf85fa633fe6874d3f825670bfc3f872bf20a0a93d29d8603f314b73bee21911bf58811fbe912171bf6e7e0ebf9469febd773909bc28a908bfdccb09bfeffb0fbfd676a5bd7d43d7be4dff74bf05d72c3fa63ce73d9db5913ee5d020bfa62e7c3fe94a383fb61a42bff451abbecfcce23ea842d83e24755f3f5d861fbe70fa283f9564ae3ec459c9be765d333e4ad4433fca40313fe6232d3cd146363ea1526ebf96b703bf5f45183f247c2fbe936b27bf36e1c73debe9cf3e6aacb23eda4d80be5f03fabd410f8a3c08900e3f0b872b3d139d5abe82dca8bc8ddb70bf",
  w2: "0x0400000009bc69bf6543d03e6164773f1dd73e3e68e859befdc728bfc7b4923bc0d2763f02820a3fe845a23de777383f362009bf8ba2e13ccea9673fe2521f3e7c65a7bd0042ecbec797c43d250b6a3fb1137dbf423b113fbb16243f54b9453f8746f63e96471e3f3303193d6252fb3dc55d17becf4363bff9713d3fd05b0f3ea6ae19bf27ae1a3ca9fcf6bca7a592bec09d9dbef19b9d3d0ae87c3e7a4d663e436eabbd43ad71bf36710abf914425bfd2f92c3e27d6383ffdcc183f2c1d183f1404223f3394fabe2ef92e3fac44b13e566255bf537477bf988b78bf45dc023fc63900bf1bf147bf3c987f3e9d4f9fbe7b685cbf90452ebfdc4c603de8e829bf1e89e8be08abd83ec98ab9bd2b45b6be2cde56bd2be673bfc05468be63f521be50b91fbf635048bf03b54c3f80bda53c07f214bf505e583e0653223f545775bf76da76bff70235bf6816e03ea6f62dbf2384d13eb773b63e9e19b73d8d0d0fbf2081733faa7a183fb6fb073d48b90dbf1112983eb63f57be21551b3e570bb7be3217863eebe661bf3e3acebe06916f3f0646403f9642c6be338f373f0a30c2be6aea603fc0b1f93ee0ad2bbed695fdbe7aa87bbf"
 }}
#-}
