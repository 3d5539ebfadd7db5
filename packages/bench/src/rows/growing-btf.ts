import { Builder, type TypeId } from '@btfd/btf';

/** The length of a chain of structs of which each refers to the one before. cilium/ebpf decodes a chain by recursion. */
const CHAIN = 10_000;

/** growingBtf returns BTF with this many types: structs that refer to each other, and types that refer to them. */
export function growingBtf(count: number): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const end = builder.add({ kind: 'PTR', typeId: 0 });
  let pointer: TypeId = end;
  for (let index = 0; builder.typeCount < count; index++) {
    const struct = builder.add({
      kind: 'STRUCT',
      name: `struct_${index}`,
      size: 16,
      members: [
        { name: 'count', typeId: int, bitOffset: 0, bitfieldSize: 0 },
        { name: `next_${index % 100}`, typeId: pointer, bitOffset: 64, bitfieldSize: 0 },
      ],
    });
    pointer = builder.add({ kind: 'PTR', typeId: struct });
    if (index % CHAIN === CHAIN - 1) pointer = end;
    builder.add({ kind: 'TYPEDEF', name: `typedef_${index}_t`, typeId: struct });
    const proto = builder.add({
      kind: 'FUNC_PROTO',
      returnTypeId: int,
      params: [{ name: 'object', typeId: pointer }],
    });
    builder.add({ kind: 'FUNC', name: `function_${index}`, typeId: proto, linkage: 0 });
  }
  return builder.marshal();
}
