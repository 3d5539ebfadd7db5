import { BtfFormatError } from '../format-error.js';
import { limitsOf, type ParseLimits } from '../limits.js';
import { type ParseOptions, Spec } from '../spec.js';
import { inflateSection } from './compressed.js';
import { ElfFile, type ElfSection } from './elf-file.js';
import { relocateSplit } from './relocate-split.js';

/** ElfBtf is the raw BTF that an ELF file holds. The bytes are copies: the file need not be kept. */
export interface ElfBtf {
  /** Section `.BTF`. */
  readonly btf: Uint8Array;
  /**
   * Section `.BTF.base`: the distilled base of an out-of-tree module (Linux 6.11); null where there is none.
   * `btf` is split from it.
   */
  readonly distilledBase: Uint8Array | null;
  /** Bytes of a pointer on the machine that the file is for. */
  readonly pointerSize: 4 | 8;
}

/**
 * readElfBtf takes the BTF out of an ELF file: a vmlinux, a module (`.ko`), an object of a BPF program.
 *
 * A module's BTF is split from the BTF of the vmlinux that it was built with, and no other can be its base,
 * unless it has a distilled base, which can be moved onto another kernel's by {@link relocateSplit}.
 *
 * @param file a whole ELF file, not compressed itself.
 * @throws BtfFormatError `NOT_FOUND` when it has no section `.BTF`; `MALFORMED`; `UNSUPPORTED` when a section is
 * compressed, for which there is {@link inflateElfBtf}. Offsets count from the start of the file.
 */
export function readElfBtf(file: Uint8Array): ElfBtf {
  const elf = ElfFile.parse(file);
  const { btf, base } = btfSections(elf);
  return {
    btf: copySection(elf, btf),
    distilledBase: base === null ? null : copySection(elf, base),
    pointerSize: elf.pointerSize,
  };
}

/**
 * inflateElfBtf is {@link readElfBtf} for files whose sections may be compressed (`SHF_COMPRESSED`): zlib is
 * decompressed by the platform's `DecompressionStream`.
 *
 * @throws BtfFormatError as {@link readElfBtf}; `UNSUPPORTED` for other formats, such as zstd; `LIMIT_EXCEEDED`.
 */
export async function inflateElfBtf(
  file: Uint8Array,
  limits: Partial<Pick<ParseLimits, 'bytes'>> = {},
): Promise<ElfBtf> {
  const elf = ElfFile.parse(file);
  const limit = limitsOf(limits).bytes;
  const read = async (section: ElfSection) =>
    section.compressed ? inflateSection(elf, section, limit) : copySection(elf, section);
  const { btf, base } = btfSections(elf);
  return {
    btf: await read(btf),
    distilledBase: base === null ? null : await read(base),
    pointerSize: elf.pointerSize,
  };
}

/**
 * parseElfBtf parses the BTF of an ELF file, as libbpf's `btf__parse_elf_split` does: split BTF with a distilled
 * base is relocated onto `base`, or continues the distilled base where no other is given.
 *
 * @throws BtfFormatError as {@link readElfBtf}, `Spec.parse` and {@link relocateSplit}.
 */
export function parseElfBtf(file: Uint8Array | ElfBtf, options: ParseOptions = {}): Spec {
  const { btf, distilledBase } = file instanceof Uint8Array ? readElfBtf(file) : file;
  if (distilledBase === null) return Spec.parse(btf, options);
  const { base = null, ...others } = options;
  const split = Spec.parse(btf, { ...others, base: Spec.parse(distilledBase, others) });
  return base === null ? split : relocateSplit(split, base, others);
}

function btfSections(elf: ElfFile): { btf: ElfSection; base: ElfSection | null } {
  const btf = elf.section('.BTF');
  if (btf === null) throw new BtfFormatError('NOT_FOUND', 'ELF file has no section .BTF');
  return { btf, base: elf.section('.BTF.base') };
}

function copySection(elf: ElfFile, { name, offset, size, compressed }: ElfSection): Uint8Array {
  if (compressed) {
    const message = `section ${name} is compressed: use inflateElfBtf`;
    throw new BtfFormatError('UNSUPPORTED', message, { offset });
  }
  // Not by its own `slice`: that of arrays that Node reads files into gives a view.
  return new Uint8Array(elf.bytes.subarray(offset, offset + size));
}
