"""Fails unless the output of `halftone compare` on standard input has at least that SQNR, in dB."""
import re
import sys

found = re.findall(r"SQNR ([0-9.]+|inf) dB", sys.stdin.read())
assert found, "no SQNR"
assert min(map(float, found)) >= float(sys.argv[1]), found
