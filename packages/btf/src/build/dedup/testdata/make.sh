#!/bin/sh
# Makes the files of this folder that are no sources. Made with gcc 12.2, pahole 1.24, clang 14.
# `*.btf`: BTF of each source, and of all in one library as pahole deduplicated it (by libbpf's btf__dedup).
# `*.bpf.o`: BPF objects, for `bpftool gen object`.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for name in a b c; do
  gcc -g -fPIC -c $name.c -o "$work/$name.o"
  clang -g -O1 -target bpf -c $name.c -o $name.bpf.o
  llvm-strip -g $name.bpf.o
done
gcc -shared "$work/a.o" "$work/b.o" "$work/c.o" -o "$work/all.o"
for name in a b c all; do
  pahole -J "$work/$name.o"
  objcopy --dump-section .BTF=$name.btf "$work/$name.o"
done
