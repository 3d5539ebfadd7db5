import { BtfFormatError } from '../format-error.js';
import { type BpfObject, LONGEST_NAME } from '../object/bpf-object.js';
import type { ReadOnlyVariable } from '../reach/program.js';

/** NamedVariable is a read-only variable with its name and the way its value is known. */
export interface NamedVariable extends ReadOnlyVariable {
  readonly name: string;
  /** Whether its value was given, instead of the one in the file. */
  readonly isGiven: boolean;
}

const SHT_PROGBITS = 1;
const STT_OBJECT = 1;

/** isReadOnlySection reports whether loaders make a section a map that neither programs nor user space can change later. */
export function isReadOnlySection(name: string): boolean {
  return name === '.rodata' || name.startsWith('.rodata.');
}

/**
 * readOnlyVariables returns the variables of the sections `.rodata` and `.rodata.*`, in the order of their places. Of
 * variables that overlap it returns the first.
 *
 * @param given values by name, to use instead of those in the file.
 * @throws BtfFormatError `INVALID_ARGUMENT` if there is no variable with a name, or its value has another size.
 * @throws BtfFormatError `MALFORMED` if a section ends after the end of the file.
 */
export function readOnlyVariables(
  { elf, symbols }: BpfObject,
  given: ReadonlyMap<string, Uint8Array>,
): NamedVariable[] {
  const sections = new Map<number, Uint8Array>();
  for (const header of elf.sectionHeaders(LONGEST_NAME)) {
    const isData = header.type === SHT_PROGBITS && header.name !== null && isReadOnlySection(header.name);
    if (isData && !header.compressed) sections.set(header.index, elf.sectionBytes(header));
  }
  const found: NamedVariable[] = [];
  for (const { name, type, section, value: offset, size } of symbols) {
    const bytes = type === STT_OBJECT ? sections.get(section) : undefined;
    if (bytes === undefined || name === null || name === '' || size === 0) continue;
    if (offset + size > bytes.length) continue;
    const value = given.get(name);
    if (value !== undefined && value.length !== size) {
      throw invalid(`variable ${name} has ${size} bytes: its value cannot have ${value.length}`);
    }
    const content = value ?? bytes.subarray(offset, offset + size);
    found.push({ name, section, offset, bytes: content, isCertain: false, isGiven: value !== undefined });
  }
  for (const name of given.keys()) {
    if (!found.some((variable) => variable.name === name)) {
      throw invalid(`the object has no read-only variable "${name}"`);
    }
  }
  return withoutOverlaps(found.toSorted((a, b) => a.section - b.section || a.offset - b.offset));
}

function withoutOverlaps(sorted: readonly NamedVariable[]): NamedVariable[] {
  const kept: NamedVariable[] = [];
  for (const variable of sorted) {
    const last = kept.at(-1);
    const isApart = last?.section !== variable.section || last.offset + last.bytes.length <= variable.offset;
    if (isApart) kept.push(variable);
  }
  return kept;
}

function invalid(message: string): BtfFormatError {
  return new BtfFormatError('INVALID_ARGUMENT', message);
}
