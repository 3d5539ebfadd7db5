#!/bin/sh
# Makes the files of this folder that are no sources, as root. Made with clang 14, bpftool 7.1, and libbpf 1.8 on Linux 6.18.
# `*.bpf.o`: BPF objects; `rest-eb.bpf.o` is big-endian. `*.btf`: BTF of objects as libbpf loads it.
# The environment variable LIBBPF names the folder of a libbpf.so of version 1.8 or newer.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
# Without the path of this folder in the lines of `.BTF.ext`.
for name in externs variables no-int struct-ops part rest; do
  clang -g -O2 -fdebug-compilation-dir=. -target bpf -c $name.bpf.c -o $name.bpf.o
  llvm-strip -g $name.bpf.o
done
clang -g -O2 -fdebug-compilation-dir=. -target bpfeb -c rest.bpf.c -o rest-eb.bpf.o
llvm-strip -g rest-eb.bpf.o
bpftool gen object linked.bpf.o part.bpf.o rest.bpf.o
gcc -o "$work/open-object" open-object.c -L"$LIBBPF" -lbpf -Wl,-rpath,"$LIBBPF"
for name in externs variables struct-ops linked; do
  "$work/open-object" load $name.bpf.o $name.btf 2>/dev/null
done
"$work/open-object" open rest-eb.bpf.o rest-eb.btf
