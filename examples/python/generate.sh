#!/bin/sh
# Generates Python classes for the contract, and for google.rpc, which errors contain, into a folder. Needs these packages of
# Debian: protobuf-compiler, libprotobuf-dev, protobuf-compiler-grpc, python3-grpcio, python3-protobuf.
#
#     examples/python/generate.sh gen
set -eu
root=$(cd -P "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
protoc --proto_path="$root/proto" --python_out="$1" \
  --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" --grpc_out="$1" \
  "$root"/proto/btf/v1/*.proto "$root"/proto/google/rpc/*.proto
