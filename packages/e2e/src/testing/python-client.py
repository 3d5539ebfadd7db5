"""A client that shares no code with this project: grpcio, with message classes made of the service's descriptors.

Arguments: address, file of descriptors from `buf build`, authority, certificate, key. Prints a line of JSON for each
call: the responses, or the code of the error.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

address, descriptors, ca, cert, key = sys.argv[1:]


def read(path):
    with open(path, "rb") as file:
        return file.read()


pool = descriptor_pool.DescriptorPool()
for file in descriptor_pb2.FileDescriptorSet.FromString(read(descriptors)).file:
    pool.Add(file)
service = pool.FindServiceByName("btf.v1.BtfService")


def message_class(descriptor):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def call(channel, name, request):
    method = service.methods_by_name[name]
    kind = channel.unary_stream if name in ("IterateHandles", "Spec") else channel.unary_unary
    stub = kind(
        f"/{service.full_name}/{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_class(method.output_type).FromString,
    )
    try:
        answer = stub(json_format.ParseDict(request, message_class(method.input_type)()), timeout=10)
        answers = [answer] if kind == channel.unary_unary else list(answer)
        print(json.dumps([json_format.MessageToDict(each) for each in answers]), flush=True)
    except grpc.RpcError as error:
        print(json.dumps({"code": error.code().name, "details": error.details()}), flush=True)


credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(cert))
with grpc.secure_channel(address, credentials) as channel:
    call(channel, "GetServerInfo", {})
    call(channel, "IterateHandles", {"nameGlobs": ["vmlinux"]})
    call(channel, "Spec", {"name": "vmlinux", "encoding": "ENCODING_TYPES", "selection": {"names": ["pid_t"]}})
    call(channel, "LoadHandle", {"rawBtf": ""})
