"""Runs a command with sockets passed as systemd does: pass-sockets.py SPEC... -- COMMAND...

A SPEC is unix:PATH, fd:PATH (a unix socket), tcp:HOST, dgram:PATH or bound:PATH (bound, not listening), abstract:NAME, or file:PATH. The kernel
chooses TCP ports. With OTHER_PID=1 the environment says that the sockets are for another process.
"""

import os
import socket
import sys

split = sys.argv.index("--")
specs, command = sys.argv[1:split], sys.argv[split + 1 :]


def opened(spec):
    kind, rest = spec.split(":", 1)
    if kind == "file":
        return os.open(rest, os.O_RDONLY)
    family = {"tcp": socket.AF_INET6 if ":" in rest else socket.AF_INET}.get(kind, socket.AF_UNIX)
    made = socket.socket(family, socket.SOCK_DGRAM if kind == "dgram" else socket.SOCK_STREAM)
    made.bind((rest, 0) if kind == "tcp" else "\0" + rest if kind == "abstract" else rest)
    if kind in ("unix", "fd", "tcp", "abstract"):
        made.listen()
    return made.detach()


# First moves the file descriptors away from the numbers that they get in the end.
fds = [os.dup2(opened(spec), 100 + index) for index, spec in enumerate(specs)]
for index, fd in enumerate(fds):
    os.dup2(fd, 3 + index)
    os.close(fd)
os.environ["LISTEN_FDS"] = str(len(fds))
os.environ["LISTEN_PID"] = "1" if os.environ.pop("OTHER_PID", "") else str(os.getpid())
os.environ["LISTEN_FDNAMES"] = ":".join(spec.split(":")[0] for spec in specs)
os.execvp(command[0], command)
