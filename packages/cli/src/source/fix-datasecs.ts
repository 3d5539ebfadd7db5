import { Builder, type Datasec, Spec, type VarSecinfo } from '@btfd/btf';
import { readElfVariables, type ElfVariables } from './elf-variables.js';

/**
 * fixDatasecs completes the BTF of an object file as libbpf does before it loads it: compilers leave sizes of
 * sections and offsets of variables open, and the kernel refuses sections without a size.
 *
 * @param btf its section `.BTF`.
 * @param file the whole object file.
 * @throws BtfFormatError, BtfBuildError, CliError for what cannot be read.
 */
export function fixDatasecs(btf: Uint8Array, file: Uint8Array): Uint8Array {
  const spec = Spec.parse(btf);
  const isOpen = [...spec].some((type) => type.kind === 'DATASEC' && type.size === 0);
  const variables = isOpen ? readElfVariables(file) : null;
  if (variables === null) return btf;
  const builder = new Builder({ deduplicate: false });
  for (const type of spec) builder.add(type.kind === 'DATASEC' ? fixed(type, spec, variables) : type);
  return builder.marshal({ byteOrder: spec.byteOrder });
}

function fixed(datasec: Datasec, spec: Spec, { sectionSize, offsetOf }: ElfVariables): Datasec {
  const size = sectionSize(datasec.name);
  if (size === null || datasec.size !== 0) return datasec;
  const vars = datasec.vars.map((info): VarSecinfo => ({
    ...info,
    offset: offsetOf(datasec.name, spec.nameOf(info.typeId)) ?? info.offset,
  }));
  return { ...datasec, size, vars: vars.toSorted((a, b) => a.offset - b.offset) };
}
