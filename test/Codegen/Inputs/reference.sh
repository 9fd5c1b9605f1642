#!/bin/bash
# reference.sh CASES.mlir OUTPUT.so: the cases compiled for the reference target. All kernel tests have the same cases: the
# first one compiles them, the others take its file, for as long as the cases and halftone-opt are the same.
set -euo pipefail
key=$( (cat "$1"; stat -c '%i %Y' "$(command -v halftone-opt)") | sha256sum | cut -c1-16)
shared=$(dirname "$2")/reference-$key.so
exec 9>"$shared.lock"
flock 9
if [ ! -f "$shared" ]; then
  halftone-opt "$1" --halftone-codegen-pipeline=target-cpu=reference --halftone-target-pipeline \
    --halftone-write-target="target-cpu=reference output=$shared" -o /dev/null
fi
cp "$shared" "$2"
