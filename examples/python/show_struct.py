"""Lists the BTF objects of a node, and shows a struct and the details of an error.

    examples/python/generate.sh gen
    PYTHONPATH=gen python3 examples/python/show_struct.py unix:/run/btfd/btfd.sock list_head
"""

import sys

import grpc
from btf.v1 import btf_service_pb2_grpc, errors_pb2, handle_pb2, spec_pb2
from google.rpc import error_details_pb2, status_pb2


def main(address, name):
    with grpc.insecure_channel(address) as channel:
        btfd = btf_service_pb2_grpc.BtfServiceStub(channel)
        for response in btfd.IterateHandles(handle_pb2.IterateHandlesRequest(), timeout=10):
            info = response.info
            print(info.id, info.name, handle_pb2.Origin.Name(info.origin), info.size)
        show_struct(btfd, name)
        try:
            btfd.GetHandleById(handle_pb2.GetHandleByIdRequest(id=2**31 - 2), timeout=10)
        except grpc.RpcError as error:
            print(error.code().name, *reason_of(error))


def show_struct(btfd, name):
    request = spec_pb2.SpecRequest(
        name="vmlinux",
        encoding=spec_pb2.ENCODING_TYPES,
        selection=spec_pb2.TypeSelection(names=[name]),
    )
    # The first message is the header. A type that is larger than a message continues in the next one.
    for response in btfd.Spec(request, timeout=10):
        for type in response.types.types:
            if type.WhichOneof("detail") != "struct":
                continue
            if not type.continued:
                print(f"struct {type.name}, {type.struct.size} bytes")
            for member in type.struct.members:
                print(f"{member.bit_offset // 8:4} {member.name}")


def reason_of(error):
    """Returns why a call failed: an ErrorReason and its metadata."""
    for key, value in error.trailing_metadata():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info) and info.domain == "btf.v1":
                reason = errors_pb2.ErrorReason.Value(f"ERROR_REASON_{info.reason}")
                return errors_pb2.ErrorReason.Name(reason), dict(info.metadata)
    return "no reason", {}


main(*sys.argv[1:])
