"""The selected model's bytes are within a percentage of the float model's, and it is another one than plain int8."""
import re
import sys

rows = dict(re.findall(r"(float|plain int8|selected) +(\d+) bytes", open(sys.argv[1]).read()))
share = 100 * int(rows["selected"]) / int(rows["float"])
held = "within" if share <= float(sys.argv[2]) else "beyond"
print(f"{held} {sys.argv[2]} %, {'above' if int(rows['selected']) > int(rows['plain int8']) else 'not above'} plain int8")
