"""hessians.py OUT HASH KEY GROUPS DIMENSION SUM...: a file of Hessians with one layer."""
import json
import struct
import sys

out, source_hash, key, groups, dimension = sys.argv[1:6]
sums = [int(text) for text in sys.argv[6:]]
header = json.dumps({"halftone.hessians": 1, "source_hash": source_hash, "samples": 1,
                     "layers": [{"key": key, "groups": int(groups), "dimension": int(dimension)}]}).encode()
header += b" " * (63 - len(header) % 64) + b"\n"
with open(out, "wb") as file:
    file.write(header + struct.pack(f"<{len(sums)}q", *sums))
