#!/bin/sh
# Makes the objects of this folder, with clang 14.
set -eu
cd "$(dirname "$0")"
# compile SOURCE OBJECT [OPTION...], for little-endian machines unless an option says otherwise, without the path of this folder in the lines of `.BTF.ext`.
compile() {
  source=$1 object=$2
  shift 2
  clang -g -O2 -mcpu=v3 -fdebug-compilation-dir=. -target bpf "$@" -c "$source.bpf.c" -o "$object.bpf.o"
  llvm-strip -g "$object.bpf.o"
}
compile needs needs
compile needs needs-eb -target bpfeb
compile strong strong-kfunc -DKFUNC
compile strong strong-prototype -DPROTOTYPE
compile strong strong-variable -DVARIABLE
compile strong other-variable
compile struct-ops struct-ops
for option in CALL EXTERN UNUSED MAP EXCEPTION; do
  compile refused "refused-$(echo $option | tr A-Z a-z)" "-D$option"
done
for option in STRUCT VALUE FUNCTION SIZE KIND BITS POINTER; do
  compile struct-ops "struct-ops-$(echo $option | tr A-Z a-z)" "-D$option"
done
