#!/usr/bin/env python3
"""many_parts.py N: a module that computes N numbers, one from the other, and concatenates them."""
import sys

N = int(sys.argv[1])
PART = """  %e{0} = tensor.empty() : tensor<1xf32>
  %v{0} = linalg.generic {{indexing_maps = [#m, #m], iterator_types = ["parallel"]}} ins({1} : tensor<1xf32>) outs(%e{0} : tensor<1xf32>) {{
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  }} -> tensor<1xf32>"""

print(f"#m = affine_map<(d0) -> (d0)>\nfunc.func @main(%x: tensor<1xf32>) -> tensor<{N}xf32> {{")
for i in range(N):
    print(PART.format(i, f"%v{i - 1}" if i else "%x"))
values, types = (", ".join(texts) for texts in ([f"%v{i}" for i in range(N)], ["tensor<1xf32>"] * N))
print(f"  %c = tensor.concat dim(0) {values} : ({types}) -> tensor<{N}xf32>\n  return %c : tensor<{N}xf32>\n}}")
