"""Fails unless the second output of `halftone compare` has an SQNR larger than the first by so many dB: check_gain.py A B DB"""
import re
import sys

before, after = (float(re.search(r"SQNR ([0-9.]+) dB", open(path).read())[1]) for path in sys.argv[1:3])
assert after >= before + float(sys.argv[3]), (before, after)
