#!/bin/sh
# Compiles values.bpf.c for both byte orders. Made with clang 14.
set -eu
cd "$(dirname "$0")"
for target in bpfel bpfeb; do
  clang -g -O2 -Wall -fdebug-compilation-dir=. -target $target -c values.bpf.c -o values-$target.bpf.o
  llvm-strip -g values-$target.bpf.o
done
