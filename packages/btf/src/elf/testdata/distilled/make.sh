#!/bin/sh
# Makes the files of this folder that are no sources: BTF of two "kernels", a module built on the first with a
# distilled base, and what bpftool reads when it relocates the module onto each. Made with gcc 12.2, pahole 1.30
# (--btf_features came with 1.26, distilled_base with 1.28) and bpftool 7.5 (libbpf 1.5, the first to relocate).
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
features=--btf_features=encode_force,var,float,decl_tag,type_tag,enum64
gcc -g -c base.c -o "$work/base.o"
gcc -g -DMOVED -c base.c -o "$work/moved.o"
for kernel in base moved; do
  pahole -J "$features" "$work/$kernel.o"
  objcopy --dump-section .BTF="$kernel.btf" "$work/$kernel.o"
done
gcc -g -c module.c -o module.o
pahole -J "$features,distilled_base" --btf_base=base.btf module.o
strip -g module.o
for kernel in base moved; do
  bpftool -B "$kernel.btf" -j btf dump file module.o >"$work/dump"
  # A type a line, so that the files can be read.
  sed -e 's/{"id"/\n&/g' "$work/dump" >"module-on-$kernel.txt"
done
