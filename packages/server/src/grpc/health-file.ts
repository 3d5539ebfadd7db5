import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import { service } from 'grpc-health-check';

/** healthFiles are the descriptors of `grpc.health.v1`, as clients of reflection take them. */
export function healthFiles(): Buffer[] {
  const files = new Map<string, Buffer>();
  for (const { requestType } of Object.values(service)) {
    for (const bytes of requestType.fileDescriptorProtos) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      for (const message of file.messageType) nameMapEntries(message);
      files.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
    }
  }
  return [...files.values()];
}

/**
 * protobufjs (7.6), which the library makes them with, names the entries of a map `Field`. They have to be `FieldEntry`:
 * buf takes nothing of the file otherwise.
 */
function nameMapEntries({ field, nestedType }: DescriptorProto): void {
  for (const entry of nestedType.filter(({ options }) => options?.mapEntry === true)) {
    const name = entry.name.endsWith('Entry') ? entry.name : `${entry.name}Entry`;
    for (const each of field) if (each.typeName === entry.name) each.typeName = name;
    entry.name = name;
  }
}
