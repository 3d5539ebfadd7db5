import { BtfFormatError } from '../format-error.js';
import { limitsOf, type ParseLimits } from '../limits.js';
import { type ParseOptions, Spec } from '../spec.js';
import { inflateSection } from './compressed.js';
import { ElfFile, type ElfSection } from './elf-file.js';
import { relocateSplit } from './relocate-split.js';

/** ElfBtf is the raw BTF of an ELF file. The bytes are copies, so the file need not be kept. */
export interface ElfBtf {
  /** Section `.BTF`. */
  readonly btf: Uint8Array;
  /**
   * Section `.BTF.base`, the distilled base of an out-of-tree module (Linux 6.11); null if there is none. `btf` is
   * split from it.
   */
  readonly distilledBase: Uint8Array | null;
  /** Bytes of a pointer on the machine that the file is for. */
  readonly pointerSize: 4 | 8;
}

/**
 * readElfBtf reads the BTF of an ELF file: a vmlinux, a module (`.ko`), an object of a BPF program.
 *
 * The BTF of a module is split from the BTF of the vmlinux that it was built with. No other can be its base, except if
 * the module has a distilled base, which {@link relocateSplit} can move onto that of another kernel.
 *
 * @param file a whole ELF file, which must not be compressed itself.
 * @throws BtfFormatError `NO_BTF` if the file has no section `.BTF`.
 * @throws BtfFormatError `MALFORMED` if it is not a whole ELF file. Offsets count from the start of the file.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown ELF version, and for a compressed section, which {@link
 * inflateElfBtf} reads.
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
 * inflateElfBtf is {@link readElfBtf} for files whose sections may be compressed (`SHF_COMPRESSED`). The platform's
 * `DecompressionStream` decompresses zlib.
 *
 * @throws BtfFormatError `NO_BTF` if the file has no section `.BTF`.
 * @throws BtfFormatError `MALFORMED` if it is not a whole ELF file, or a compressed section is broken.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown ELF version, and for other formats of compression, such as zstd.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for a compressed section larger than the limit.
 * @throws BtfFormatError `INVALID_ARGUMENT` if the limit is not a count.
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
 * parseElfBtf parses the BTF of an ELF file. Split BTF with a distilled base is relocated onto `base`, or continues the
 * distilled base if there is no `base`. Modelled on libbpf's `btf__parse_elf_split`.
 *
 * @throws BtfReadError as {@link readElfBtf}, `Spec.parse` and {@link relocateSplit} do.
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
  if (btf === null) throw new BtfFormatError('NO_BTF', 'ELF file has no section .BTF');
  return { btf, base: elf.section('.BTF.base') };
}

function copySection(elf: ElfFile, { name, offset, size, compressed }: ElfSection): Uint8Array {
  if (compressed) {
    const message = `section ${name} is compressed: use inflateElfBtf`;
    throw new BtfFormatError('UNSUPPORTED', message, { offset });
  }
  // Not with `slice`: for the arrays that Node reads files into, it returns a view.
  return new Uint8Array(elf.bytes.subarray(offset, offset + size));
}
