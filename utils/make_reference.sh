#!/bin/bash
# Writes the reference of the dialect and of every pass from their .td files: make_reference.sh [FOLDER]
# (docs/reference by default; test/Docs/reference.test compares that folder with a fresh one).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/docs/reference}
llvm=/usr/lib/llvm-22
mkdir -p "$out"
generate() { "$llvm/bin/mlir-tblgen" "$@" -I "$llvm/include" -I "$root/include"; }
generate -gen-dialect-doc -dialect=halftone "$root/include/halftone/Dialect/Halftone/IR/HalftoneOps.td" >"$out/HalftoneDialect.md"
for td in "$root"/include/halftone/*/Passes.td; do
  stage=$(basename "$(dirname "$td")")
  { printf '# Passes: %s\n\n' "$stage"; generate -gen-pass-doc "$td"; } >"$out/${stage}Passes.md"
done
