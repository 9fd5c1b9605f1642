"""Writes a cost table, changed by the arguments, to stdout: `key=value` sets a number, of all kernels or of the table;
`KERNEL.key=value` of one kernel; a value of "-" takes the key away. Built on x86-64-v4.json."""
import json
import pathlib
import sys

TABLES = pathlib.Path(__file__).resolve().parents[3] / "lib" / "Codegen" / "CostTables"


def change(row, key, value):
    if value == "-":
        del row[key]
    else:
        row[key] = json.loads(value)


table = json.loads((TABLES / "x86-64-v4.json").read_text())
for argument in sys.argv[1:]:
    path, value = argument.split("=", 1)
    owner, _, key = path.rpartition(".")
    if owner:
        change(table["kernels"].setdefault(owner, {}) if owner != "levels" else table["levels"][0], key, value)
    elif key in table or not any(key in row for row in table["kernels"].values()):
        change(table, key, value)
    else:
        for row in table["kernels"].values():
            change(row, key, value)
print(json.dumps(table))
