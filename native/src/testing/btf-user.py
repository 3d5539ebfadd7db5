"""Uses BTF directly through bpf(2): loads BTF, a map and a program with it, two maps of global variables, which have one
name, with other BTF, and a map without, and holds them all.

Prints their names and ids, as /proc shows them, as one line of JSON. Ends when its standard input ends.
"""

import ctypes
import json
import os
import platform
import struct
import sys

SYS_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
MAP_CREATE, PROG_LOAD, BTF_LOAD = 0, 5, 18
ARRAY, SOCKET_FILTER = 2, 1

COMMAND = "btf user (:"
# Names that no other process has, at most 15 bytes.
MAP_NAME = f"map_{os.getpid()}".encode()
GLOBALS_NAME = f"{os.getpid()}.bss".encode()
PROG_NAME = f"user_{os.getpid():010}".encode()
# The name in the BTF, of which the kernel keeps PROG_NAME, as for each program with a long name.
FUNCTION_NAME = PROG_NAME + b"_and_more"

libc = ctypes.CDLL(None, use_errno=True)
# Keeps the memory alive whose addresses the kernel gets.
kept = []


def bpf(command, attr):
    fd = libc.syscall(SYS_BPF, command, ctypes.create_string_buffer(attr, len(attr)), len(attr))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def address(data):
    buffer = ctypes.create_string_buffer(data, len(data))
    kept.append(buffer)
    return ctypes.addressof(buffer)


def load_btf(strings, types):
    header = struct.pack("=HBB5I", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
    data = header + types + strings
    return bpf(BTF_LOAD, struct.pack("=QQII", address(data), 0, len(data), 0))


def load_user_btf():
    types = struct.pack("=4I", 1, 1 << 24, 4, 32)  # 1: INT int
    types += struct.pack("=3I", 0, 13 << 24, 1)  # 2: FUNC_PROTO that returns it
    types += struct.pack("=3I", 26, 12 << 24, 2)  # 3: FUNC of the program
    types += struct.pack("=9I", 5, 4 << 24 | 2, 16, 11, 1, 0, 16, 5, 64)  # 4: STRUCT count: hits, owner
    types += struct.pack("=3I", 0, 2 << 24, 6)  # 5: PTR to the next
    types += struct.pack("=6I", 16, 4 << 24 | 1, 4, 22, 1, 0)  # 6: STRUCT owner: pid
    return load_btf(b"\0int\0count\0hits\0owner\0pid\0" + FUNCTION_NAME + b"\0", types)


def load_globals_btf():
    types = struct.pack("=4I", 1, 1 << 24, 4, 32)  # 1: INT int
    types += struct.pack("=4I", 5, 14 << 24, 1, 1)  # 2: VAR total, global
    types += struct.pack("=6I", 11, 15 << 24 | 1, 4, 2, 0, 4)  # 3: DATASEC .bss
    return load_btf(b"\0int\0total\0.bss\0", types)


def create_map(name, value_size, btf, key_type_id, value_type_id):
    shape = struct.pack("=7I", ARRAY, 4, value_size, 1, 0, 0, 0)
    return bpf(MAP_CREATE, shape + struct.pack("=16s4I", name, 0, btf, key_type_id, value_type_id))


def load_program(btf):
    code = bytes([0xB7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0])
    what = struct.pack("=IIQQIIQII", SOCKET_FILTER, 2, address(code), address(b"GPL\0"), 0, 0, 0, 0, 0)
    function = struct.pack("=II", 0, 3)
    return bpf(PROG_LOAD, what + struct.pack("=16s4IQI4x", PROG_NAME, 0, 0, btf, 8, address(function), 1))


def shown_id(fd, field):
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def shown(fd, field, name):
    return {"id": shown_id(fd, field), "name": name.decode()}


with open("/proc/self/comm", "w", encoding="ascii") as comm:
    comm.write(COMMAND)
btf = load_user_btf()
globals_btf = load_globals_btf()
second_fd = os.dup(btf)
user = {
    "pid": os.getpid(),
    "command": COMMAND,
    "btfId": shown_id(btf, "btf_id"),
    "map": shown(create_map(MAP_NAME, 16, btf, 1, 4), "map_id", MAP_NAME),
    "globals": [shown(create_map(GLOBALS_NAME, 4, globals_btf, 0, 3), "map_id", GLOBALS_NAME) for _ in "12"],
    "program": shown(load_program(btf), "prog_id", PROG_NAME),
    "functionName": FUNCTION_NAME.decode(),
    "plainMap": shown(create_map(b"", 4, 0, 0, 0), "map_id", b""),
}
print(json.dumps(user), flush=True)
sys.stdin.read()
