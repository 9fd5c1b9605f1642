"""full_disk.py BYTES COMMAND...: runs the command with files of at most BYTES: a write beyond fails as on a full disk. Prints its stderr and
status."""
import resource
import subprocess
import sys

limit = int(sys.argv[1])
done = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
print(done.stderr, end="")
print("exit status", done.returncode)
