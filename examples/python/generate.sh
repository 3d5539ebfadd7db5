#!/bin/sh
# Generates Python classes for the contract into a folder. Needs these packages of Debian: protobuf-compiler,
# protobuf-compiler-grpc, python3-grpcio, python3-protobuf. The messages of google.rpc, which errors contain, are Google's.
#
#     examples/python/generate.sh gen
set -eu
root=$(cd -P "$(dirname "$0")/../.." && pwd)
google=$root/node_modules/google-proto-files
mkdir -p "$1"
protoc --proto_path="$root/proto" --proto_path="$google" --python_out="$1" \
  --plugin=protoc-gen-grpc="$(command -v grpc_python_plugin)" --grpc_out="$1" \
  "$root"/proto/btf/v1/*.proto "$google"/google/rpc/status.proto "$google"/google/rpc/error_details.proto
