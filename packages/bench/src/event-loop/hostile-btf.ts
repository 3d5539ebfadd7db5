import { Builder, type Member, type TypeId } from '@btfd/btf';

const INT = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 } as const;
/** The kernel accepts this many members (before Linux 7.2). */
const MAX_MEMBERS = 65_535;

function member(name: string, typeId: TypeId, bitOffset = 0): Member {
  return { name, typeId, bitOffset, bitfieldSize: 0 };
}

/** nestedUnions returns small BTF of anonymous unions in unions. The size of its C doubles with each level. */
export function nestedUnions(levels: number): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  let inner = builder.add(INT);
  for (let level = 0; level < levels; level++) {
    const members = [member('', inner), member('', inner)];
    if (level === 0) members.splice(0, 2, member('a', inner), member('b', inner));
    inner = builder.add({ kind: 'UNION', name: '', size: 4, members });
  }
  builder.add({ kind: 'STRUCT', name: 'hostile', size: 4, members: [member('', inner)] });
  return builder.marshal();
}

/** tinyTypes returns BTF with many pointers to void, of 12 bytes each. */
export function tinyTypes(count: number): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  for (let index = 0; index < count; index++) builder.add({ kind: 'PTR', name: '', typeId: 0 });
  return builder.marshal();
}

/** wideStructs returns BTF of structs with as many members as the kernel accepts. */
export function wideStructs(count: number): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add(INT);
  const members = Array.from({ length: MAX_MEMBERS }, (_, index) => member(`m${index}`, int, index * 32));
  for (let index = 0; index < count; index++) {
    builder.add({ kind: 'STRUCT', name: `wide${index}`, size: MAX_MEMBERS * 4, members });
  }
  return builder.marshal();
}

/** rejectedWithLog returns BTF that the kernel rejects after it has logged megabytes of bytes that are not text. */
export function rejectedWithLog(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add(INT);
  // The kernel logs at most a kilobyte of it.
  const name = 'x'.repeat(1_000);
  for (let index = 0; index < 6_000; index++)
    builder.add({ kind: 'TYPE_TAG', name, typeId: int, attribute: false });
  // Its size is 0, which the kernel rejects.
  builder.add({ kind: 'STRUCT', name: 'refused', size: 0, members: [member('a', int)] });
  const rawBtf = builder.marshal();
  for (let at = rawBtf.length - 1; at >= 0; at--) if (rawBtf[at] === 0x78) rawBtf[at] = 0xff;
  return rawBtf;
}
