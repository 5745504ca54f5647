# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a program at a terminal, types a line at each prompt, and prints what was to be seen.
# type-password.py LINE LINE -- PROGRAM ARGUMENT…
import os
import pty
import sys

split = sys.argv.index('--')
lines, program = sys.argv[1:split], sys.argv[split + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program[0], program)
seen = b''
while True:
    try:
        data = os.read(terminal, 1024)
    except OSError:  # how Linux says that the other end of a terminal was closed
        data = b''
    if not data:
        break
    seen += data
    if seen.endswith(b': ') and lines:
        os.write(terminal, lines.pop(0).encode() + b'\n')
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
