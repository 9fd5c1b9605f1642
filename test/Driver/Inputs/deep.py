"""Writes a classifier of points with two hidden layers of 8, batch 16: deep.py OUT.mlir"""
import sys

import numpy as np

random = np.random.default_rng(5)
lines = ["#mn = affine_map<(m, n) -> (m, n)>", "#n = affine_map<(m, n) -> (n)>",
         'func.func @main(%y0: tensor<16x2xf32> {halftone.name = "point"}) -> (tensor<16x2xf32> {halftone.name = "logits"}) {',
         "  %zero = arith.constant 0.0 : f32"]
for i, (name, inputs, outputs) in enumerate([("first", 2, 8), ("second", 8, 8), ("third", 8, 2)]):
    weights = ", ".join("[" + ", ".join(f"{w:.6f}" for w in row) + "]" for row in random.normal(0, 0.7, (inputs, outputs)))
    low = "-1.0e30" if name == "third" else "0.0"
    lines.append(f"""  %w{i} = arith.constant dense<[{weights}]> : tensor<{inputs}x{outputs}xf32> loc("{name}.weight")
  %b{i} = arith.constant dense<{0.1 * i}> : tensor<{outputs}xf32> loc("{name}.bias")
  %low{i} = arith.constant {low} : f32
  %e{i} = tensor.empty() : tensor<16x{outputs}xf32>
  %f{i} = linalg.fill ins(%zero : f32) outs(%e{i} : tensor<16x{outputs}xf32>) -> tensor<16x{outputs}xf32>
  %m{i} = linalg.matmul ins(%y{i}, %w{i} : tensor<16x{inputs}xf32>, tensor<{inputs}x{outputs}xf32>)
      outs(%f{i} : tensor<16x{outputs}xf32>) -> tensor<16x{outputs}xf32> loc("{name}")
  %y{i + 1} = linalg.generic {{indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}}
      ins(%m{i}, %b{i} : tensor<16x{outputs}xf32>, tensor<{outputs}xf32>) outs(%e{i} : tensor<16x{outputs}xf32>) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    %p = arith.maximumf %s, %low{i} : f32
    linalg.yield %p : f32
  }} -> tensor<16x{outputs}xf32> loc("{name}.relu")""")
lines += ["  return %y3 : tensor<16x2xf32>", "}", ""]
open(sys.argv[1], "w").write("\n".join(lines))
