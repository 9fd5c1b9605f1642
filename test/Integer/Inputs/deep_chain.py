"""Writes 30,000 sums, one behind the other, and a product that finds its ranges when it runs: deep_chain.py OUT.mlir"""
import sys

COUNT = 30000
lines = ["#mn = affine_map<(m, n) -> (m, n)>", "!qw = !quant.uniform<i8<-127:127>:f32, 0.1>",
         "func.func @deep(%x0: tensor<2x8xf32>) -> tensor<2x4xf32> {", "  %e = tensor.empty() : tensor<2x8xf32>"]
for i in range(COUNT):
    lines.append(f"""  %x{i + 1} = linalg.generic {{indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}}
      ins(%x{i} : tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) {{
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  }} -> tensor<2x8xf32>""")
lines.append(f"""  %codes = arith.constant dense<3> : tensor<8x4xi8>
  %zero = arith.constant 0.0 : f32
  %ws = quant.scast %codes : tensor<8x4xi8> to tensor<8x4x!qw>
  %w = halftone.dequantize %ws : tensor<8x4x!qw> to tensor<8x4xf32>
  %se = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%se : tensor<2x4xf32>) -> tensor<2x4xf32>
  %y = linalg.matmul {{halftone.precision = "dynamic"}} ins(%x{COUNT}, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}}
""")
open(sys.argv[1], "w").write("\n".join(lines))
