#!/bin/sh
# Makes the files of this folder that are no sources, as root. Made with clang 14, bpftool 7.1, and libbpf 1.8 on Linux 6.18.
# `*.bpf.o`: BPF objects; `rest-eb.bpf.o` is big-endian. `*.btf`: BTF of objects as libbpf loads it.
# The environment variable LIBBPF names a folder where libbpf 1.8 or newer was built, with its headers.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir "$work/bpf"
cp "$LIBBPF"/bpf_*.h "$work/bpf"
bpftool btf dump file /sys/kernel/btf/vmlinux format c >"$work/vmlinux.h"
# bpftool 7.5 and newer print such prototypes themselves.
cat >>"$work/vmlinux.h" <<END
#define PROTOTYPE extern __attribute__((weak, section(".ksyms")))
PROTOTYPE struct task_struct *bpf_task_from_pid(s32 pid);
PROTOTYPE struct task_struct *bpf_task_acquire(struct task_struct *p);
PROTOTYPE void bpf_task_release(struct task_struct *p);
END
# compile TARGET SOURCE OBJECT, without the path of this folder in the lines of `.BTF.ext`.
compile() {
  clang -g -O2 -fdebug-compilation-dir=. -isystem "$work" -target "$1" -c "$2.bpf.c" -o "$3.bpf.o"
  llvm-strip -g "$3.bpf.o"
}
for name in externs variables no-int struct-ops part rest ksyms kconfig extern-ksym-kconfig; do
  compile bpf $name $name
done
compile bpfeb rest rest-eb
bpftool gen object linked.bpf.o part.bpf.o rest.bpf.o
gcc -o "$work/open-object" open-object.c -L"$LIBBPF" -lbpf -Wl,-rpath,"$LIBBPF"
for name in externs variables struct-ops linked ksyms kconfig extern-ksym-kconfig; do
  "$work/open-object" load $name.bpf.o $name.btf 2>/dev/null
done
"$work/open-object" open rest-eb.bpf.o rest-eb.btf
