"""Checks that a library with several sizes has N constants of 1024 bytes or more: `llvm-nm -S M.so | check_shared.py N`."""
import sys

large = [line for line in sys.stdin if "halftone.constant.64." in line and int(line.split()[1], 16) >= 1024]
assert len(large) == int(sys.argv[1]), "".join(large)
