import { fromBinary, toBinary, type DescFile } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import { file_btf_v1_btf_service, file_btf_v1_errors } from '@btfd/api';
import { ReflectionService } from '@grpc/reflection';
import { service } from 'grpc-health-check';

/** reflectionService returns server reflection, v1 and v1alpha, for `btf.v1`, its imports, and health. */
export function reflectionService(): ReflectionService {
  const files = new Map<string, Buffer>();
  for (const file of [file_btf_v1_btf_service, file_btf_v1_errors]) addWithImports(file, files);
  const fileDescriptorProtos = [...files.values(), ...healthFiles()];
  // The service reads only this field of the values of the root.
  return new ReflectionService({
    served: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos },
  });
}

function addWithImports(file: DescFile, files: Map<string, Buffer>): void {
  if (files.has(file.name)) return;
  files.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  for (const dependency of file.dependencies) addWithImports(dependency, files);
}

/** Returns the descriptors of `grpc.health.v1` in the form that clients of reflection accept. */
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
 * Renames the entries of maps. protobufjs (7.6), which makes the descriptors, names them `Field`; they must be
 * `FieldEntry`, otherwise buf rejects the whole file.
 */
function nameMapEntries({ field, nestedType }: DescriptorProto): void {
  for (const entry of nestedType.filter(({ options }) => options?.mapEntry === true)) {
    const name = entry.name.endsWith('Entry') ? entry.name : `${entry.name}Entry`;
    for (const each of field) if (each.typeName === entry.name) each.typeName = name;
    entry.name = name;
  }
}
