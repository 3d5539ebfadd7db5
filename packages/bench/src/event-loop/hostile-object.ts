import { Builder } from '@btfd/btf';

const SECTION = 'socket';
const ACCESS = '0:0';

/** `r0 = 0` of 64 bits, which can be relocated, and `exit`. */
const SET = [0xb7, 0, 0, 0, 0, 0, 0, 0];
const EXIT = [0x95, 0, 0, 0, 0, 0, 0, 0];

/**
 * objectOfFindings returns a BPF object of one program with a number of CO-RE relocations, one for each instruction. All ask
 * for a member of `struct task_struct` that no kernel has, so that each is a finding.
 *
 * @param member the name of the member.
 */
export function objectOfFindings(count: number, member: string): Uint8Array {
  const builder = new Builder();
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const members = [{ name: member, typeId: int, bitOffset: 0, bitfieldSize: 0 }];
  const root = builder.add({ kind: 'STRUCT', name: 'task_struct', size: 4, members });
  // Strings of `.BTF.ext` lie in `.BTF`.
  builder.add({ kind: 'FWD', name: SECTION, union: false });
  builder.add({ kind: 'FWD', name: ACCESS, union: false });
  const btf = builder.marshal();
  const code = Buffer.alloc(8 * (count + 1), Buffer.from(SET));
  code.set(EXIT, 8 * count);
  return elf([
    { name: '.BTF', bytes: btf },
    { name: '.BTF.ext', bytes: relocations(btf, root, count) },
    { name: SECTION, bytes: code, flags: 6 },
    { name: '.symtab', bytes: symbolOf(3, code.length), type: 2, link: 5, entrySize: 24 },
    { name: '.strtab', bytes: Buffer.from('\0program\0'), type: 3 },
  ]);
}

function relocations(btf: Uint8Array, root: number, count: number): Uint8Array {
  const header = [32, 0, 0, 0, 0, 0, 16 * count + 12];
  const words = [16, stringAt(btf, SECTION), count];
  const access = stringAt(btf, ACCESS);
  for (let i = 0; i < count; i++) words.push(8 * i, root, access, 0);
  return Buffer.concat([Uint8Array.of(0x9f, 0xeb, 1, 0), uint32s([...header, ...words])]);
}

/** The symbol table of one global function. */
function symbolOf(section: number, size: number): Uint8Array {
  const table = new DataView(new ArrayBuffer(48));
  table.setUint32(24, 1, true);
  table.setUint8(28, 0x12);
  table.setUint16(30, section, true);
  table.setBigUint64(40, BigInt(size), true);
  return new Uint8Array(table.buffer);
}

/** Returns the offset of a string in the string section of BTF, which is last. */
function stringAt(btf: Uint8Array, text: string): number {
  const view = new DataView(btf.buffer, btf.byteOffset);
  const start = view.getUint32(4, true) + view.getUint32(16, true);
  return Buffer.from(btf).indexOf(`\0${text}\0`, start) + 1 - start;
}

interface Section {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type?: number;
  readonly flags?: number;
  readonly link?: number;
  readonly entrySize?: number;
}

/** Returns a relocatable ELF file of 64 bits for BPF. Its last section has the names. */
function elf(sections: readonly Section[]): Uint8Array {
  const names = ['', ...sections.map(({ name }) => name), '.shstrtab'];
  const last = { name: '.shstrtab', bytes: Buffer.from(`${names.join('\0')}\0`), type: 3 };
  const all: readonly Section[] = [...sections, last];
  const header = new DataView(new ArrayBuffer(64));
  const table = new DataView(new ArrayBuffer(64 * (all.length + 1)));
  const parts: Uint8Array[] = [];
  let at = 64;
  for (const [i, { bytes, type = 1, flags = 0, link = 0, entrySize = 0 }] of all.entries()) {
    const row = 64 * (i + 1);
    table.setUint32(row, names.slice(0, i + 1).join('\0').length + 1, true);
    table.setUint32(row + 4, type, true);
    table.setBigUint64(row + 8, BigInt(flags), true);
    table.setBigUint64(row + 24, BigInt(at), true);
    table.setBigUint64(row + 32, BigInt(bytes.length), true);
    table.setUint32(row + 40, link, true);
    table.setBigUint64(row + 56, BigInt(entrySize), true);
    const padding = new Uint8Array(-bytes.length & 7);
    parts.push(bytes, padding);
    at += bytes.length + padding.length;
  }
  header.setUint32(0, 0x7f454c46);
  header.setUint32(4, 0x02010100);
  header.setUint16(16, 1, true);
  header.setUint16(18, 247, true);
  header.setUint32(20, 1, true);
  header.setBigUint64(40, BigInt(at), true);
  header.setUint16(52, 64, true);
  header.setUint16(58, 64, true);
  header.setUint16(60, all.length + 1, true);
  header.setUint16(62, all.length, true);
  return new Uint8Array(
    Buffer.concat([new Uint8Array(header.buffer), ...parts, new Uint8Array(table.buffer)]),
  );
}

function uint32s(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}
