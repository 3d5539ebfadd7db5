import { fixDatasecs } from './fix-datasecs.js';
import { readBtfFile } from './read-btf-file.js';

/** readLoadable reads the BTF of a file as a kernel takes it: that of an object file as a loader of BPF programs makes it. */
export async function readLoadable(path: string): Promise<Uint8Array> {
  const file = await readBtfFile(path);
  return file.kind === 'raw' ? file.btf : fixDatasecs(file.elf.btf, file.bytes);
}
