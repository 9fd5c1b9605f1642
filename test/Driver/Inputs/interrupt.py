"""interrupt.py TEXT COMMAND...: starts the command, sends SIGINT when its stderr has TEXT, prints its stderr and status."""
import signal
import subprocess
import sys

process = subprocess.Popen(sys.argv[2:], stderr=subprocess.PIPE, text=True)
for line in process.stderr:
    print(line, end="")
    if sys.argv[1] in line:
        process.send_signal(signal.SIGINT)
        break
print(process.stderr.read(), end="")
print("exit status", process.wait())
