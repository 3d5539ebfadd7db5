#!/bin/sh
# Makes the object of this folder, with clang 14.
set -eu
cd "$(dirname "$0")"
# Without the path of this folder in the lines of `.BTF.ext`.
clang -g -O2 -mcpu=v3 -fdebug-compilation-dir=. -target bpf -c module-user.bpf.c -o module-user.bpf.o
llvm-strip -g module-user.bpf.o
