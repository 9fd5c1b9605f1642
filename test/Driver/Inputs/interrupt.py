"""interrupt.py TEXT COMMAND...: starts the command on a terminal of its own, where each step is shown, sends SIGINT when it has shown TEXT, prints
what it shows and its status."""
import os
import pty
import re
import signal
import subprocess
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # what a shell starts in the background ignores it
ours, theirs = pty.openpty()
process = subprocess.Popen(sys.argv[2:], stdout=theirs, stderr=theirs)
os.close(theirs)
shown, sent = b"", False
while True:
    try:
        chunk = os.read(ours, 4096)
    except OSError:  # the command has ended
        break
    shown += chunk
    if not sent and sys.argv[1].encode() in shown:
        process.send_signal(signal.SIGINT)
        sent = True
print(re.sub(r"\x1b\[[0-9;]*[mK]", "", shown.decode()).replace("\r", "\n"))  # without colours
print("exit status", process.wait())
