#!/bin/bash
# The demo, for a fresh Debian 12 machine: installs what is missing, builds Halftone, quantizes the embedded
# Fashion-MNIST model with the embedded calibration images, and measures float against int8 on all 10,000 test images.
set -euo pipefail
source "$(dirname "$0")/setup.sh"

install_packages "${build_packages[@]}"
configure
make_venv
compile halftone
step "Demo"
"$python" "$root/utils/demo.py" --halftone "$build/bin/halftone" --work "$build/demo"
step "Done"
