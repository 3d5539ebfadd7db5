#!/usr/bin/env bash
# Installs the Debian packages that tests need besides Node and a compiler, where one is missing. As root.
#
#   scripts/install-debian-packages.sh         # for `pnpm all`
#   scripts/install-debian-packages.sh --long  # for `pnpm test:long` too
set -euo pipefail

# A command and its package.
commands=(bpftool:bpftool gcc:gcc pahole:dwarves lz4:lz4 xz:xz-utils objcopy:binutils dpkg-deb:dpkg setpriv:util-linux openssl:openssl systemd-analyze:systemd setcap:libcap2-bin tmux:tmux less:less zsh:zsh fish:fish protoc:protobuf-compiler grpc_python_plugin:protobuf-compiler-grpc)
# A file and its package.
files=(
  /usr/lib/python3/dist-packages/grpc/__init__.py:python3-grpcio
  /usr/lib/python3/dist-packages/google/protobuf/__init__.py:python3-protobuf
  /usr/lib/python3/dist-packages/prometheus_client:python3-prometheus-client
)
if [ "${1:-}" = --long ]; then
  commands+=(clang:clang qemu-aarch64:qemu-user aarch64-linux-gnu-g++:g++-aarch64-linux-gnu)
  files+=(/usr/aarch64-linux-gnu/lib/libstdc++.so.6:libstdc++6-arm64-cross)
fi

missing=()
for pair in "${commands[@]}"; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
for pair in "${files[@]}"; do
  [ -e "${pair%%:*}" ] || missing+=("${pair#*:}")
done
ldconfig -p | grep -q 'libbpf\.so\.1 ' || missing+=(libbpf1)
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "${missing[@]}" >/dev/null
fi
