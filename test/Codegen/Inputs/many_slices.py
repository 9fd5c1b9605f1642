#!/usr/bin/env python3
"""Prints a function that sums COUNT slices of what it computes: many_slices.py COUNT [place]; with `place` the first is computed in."""
import sys

count, is_place = int(sys.argv[1]), len(sys.argv) > 2
print(f"func.func @main(%x: tensor<{count}x4xf32>) -> tensor<1x4xf32> {{")
print(f"  %place = tensor.empty() : tensor<{count}x4xf32>")
print(f"  %all = linalg.exp ins(%x : tensor<{count}x4xf32>) outs(%place : tensor<{count}x4xf32>) -> tensor<{count}x4xf32>")
print("  %one = arith.constant dense<1.0> : tensor<1x4xf32>")
for i in range(count):
    print(f"  %s{i} = tensor.extract_slice %all[{i}, 0] [1, 4] [1, 1] : tensor<{count}x4xf32> to tensor<1x4xf32>")
sums = "%s0"
for i in range(1, count):
    place = "%s0" if is_place and i == 1 else f"%e{i}"
    print(f"  %e{i} = tensor.empty() : tensor<1x4xf32>")
    print(f"  %m{i} = linalg.mul ins({sums}, %one : tensor<1x4xf32>, tensor<1x4xf32>) outs(%e{i} : tensor<1x4xf32>) -> tensor<1x4xf32>")
    print(f"  %t{i} = linalg.add ins(%m{i}, %s{i} : tensor<1x4xf32>, tensor<1x4xf32>) outs({place} : tensor<1x4xf32>) -> tensor<1x4xf32>")
    sums = f"%t{i}"
print(f"  return {sums} : tensor<1x4xf32>\n}}")
