"""What the benchmarks ask of this machine's CPU."""

import pathlib
import re


def features():
    """The flags of /proc/cpuinfo, which Arm calls Features."""
    line = re.search(r"^(?:flags|Features)\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return line.group(1).split() if line else []


def multiplies_in_words(features):
    """Whether products of bytes are made of instructions for 16 bits, of which bounded weights need fewer, or none that saturates."""
    return "avx2" in features and not {"avx512_vnni", "avx_vnni"} & set(features)
