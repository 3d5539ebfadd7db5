import { fromBinary, toBinary, type DescFile } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import { file_btf_v1_btf_service, file_btf_v1_errors } from '@btfd/api';
import { ReflectionService } from '@grpc/reflection';
import { service } from 'grpc-health-check';

/** reflectionService answers server reflection, v1 and v1alpha, for `btf.v1`, what it imports, and health. */
export function reflectionService(): ReflectionService {
  const files = new Map<string, Buffer>();
  for (const file of [file_btf_v1_btf_service, file_btf_v1_errors]) addWithImports(file, files);
  const fileDescriptorProtos = [...files.values(), ...healthFiles()];
  // The service reads nothing but this field, at the root's values.
  return new ReflectionService({
    served: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos },
  });
}

function addWithImports(file: DescFile, files: Map<string, Buffer>): void {
  if (files.has(file.name)) return;
  files.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  for (const dependency of file.dependencies) addWithImports(dependency, files);
}

/** healthFiles are the descriptors of `grpc.health.v1`, as clients of reflection take them. */
function healthFiles(): Buffer[] {
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
