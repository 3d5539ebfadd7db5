import { toBinary, type DescFile } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { file_btf_v1_btf_service, file_btf_v1_errors } from '@btfd/api';
import { ReflectionService } from '@grpc/reflection';
import { healthFiles } from './health-file.js';

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
