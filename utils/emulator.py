"""The emulator of instructions that this CPU lacks (test/Emulator), for what runs compiled models in tests."""
import os
import pathlib
import subprocess
import sys

ASK = ("import ctypes; names = ctypes.CDLL(None).halftone_emulated_features; names.restype = ctypes.c_char_p; "
       "print(names().decode())")


def path(build):
    """To be preloaded; it exists once the target HalftoneEmulator has been built."""
    return pathlib.Path(build) / "test/Emulator/libhalftone_runtime.so"


def environment(build):
    """The variables of a process whose illegal instructions are emulated."""
    return {**os.environ, "LD_PRELOAD": str(path(build))}


def emulated_features(build):
    """What is emulated here, named as in /proc/cpuinfo; nothing that the CPU has, and nothing where the library is not built."""
    if not path(build).exists():
        return []
    answer = subprocess.run([sys.executable, "-c", ASK], env=environment(build), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True)
    return [name for name in answer.stdout.strip().split(",") if name]


if __name__ == "__main__":
    print(",".join(emulated_features(sys.argv[1])))
