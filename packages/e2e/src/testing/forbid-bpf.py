"""Runs a command that bpf(2) refuses with EPERM, by a seccomp filter: forbid-bpf.py COMMAND..."""

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]

# Load the number of the system call, and skip the next instruction unless it is that of bpf(2).
FILTER = [(0x20, 0, 0, 0), (0x15, 0, 1, BPF), (0x06, 0, 0, REFUSE), (0x06, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *instruction) for instruction in FILTER))
program = ctypes.create_string_buffer(struct.pack("@HP", len(FILTER), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0:
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])
