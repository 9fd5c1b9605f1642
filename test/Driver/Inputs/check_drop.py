"""Whether a selection keeps a budget of the drop and uses it: LOG BUDGET."""
import re
import sys

drop, budget = float(re.search(r"^  selected .* drop (\S+)$", open(sys.argv[1]).read(), re.MULTILINE).group(1)), float(sys.argv[2])
print("the budget holds, and half of it or more is used" if budget / 2 <= drop <= budget else f"{drop} of {budget}")
