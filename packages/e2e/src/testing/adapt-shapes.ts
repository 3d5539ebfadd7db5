import { Builder, FEATURE_ROWS, type NewType, probeBtf } from '@btfd/btf';

const INT: NewType = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 };

/** BTF that only the newest kernels accept: everything that `adapt_to_kernel` rewrites, and places that it affects. */
function newestBtf(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const add = (type: NewType): number => builder.add(type);
  const int = add(INT);
  const params = [
    { name: 'a', typeId: int },
    { name: 'b.0', typeId: int },
  ];
  const variadic = add({
    kind: 'FUNC_PROTO',
    returnTypeId: int,
    params: [...params, { name: '', typeId: 0 }],
  });
  const proto = add({ kind: 'FUNC_PROTO', returnTypeId: int, params });
  const func = add({ kind: 'FUNC', name: 'f.isra.0', typeId: proto, linkage: 1 });
  add({ kind: 'PTR', typeId: variadic });
  const float = add({ kind: 'FLOAT', name: 'double', size: 8 });
  const floats = add({ kind: 'ARRAY', typeId: float, indexTypeId: int, nelems: 2 });
  const values = [{ name: 'A', value: -1n << 40n }];
  const wide = add({ kind: 'ENUM64', name: 'e', size: 8, signed: true, values });
  add({ kind: 'ENUM', name: 's', size: 4, signed: true, values: [{ name: 'B', value: -1 }] });
  const attribute = add({ kind: 'TYPE_TAG', name: 'noderef', typeId: int, attribute: true });
  const tag = add({ kind: 'TYPE_TAG', name: 'user', typeId: attribute, attribute: false });
  const pointer = add({ kind: 'PTR', typeId: tag });
  const late = add({ kind: 'CONST', typeId: tag });
  add({ kind: 'TYPE_TAG', name: 'rcu', typeId: late, attribute: true });
  const member = (name: string, typeId: number, byte: number) =>
    ({ name, typeId, bitOffset: byte * 8, bitfieldSize: 0 }) as const;
  const members = [
    member('x'.repeat(200), floats, 0),
    member('m.n', wide, 16),
    member('p', pointer, 24),
    member('l', late, 32),
  ];
  const bitfield = { ...member('bits', wide, 0), bitfieldSize: 20 };
  add({ kind: 'STRUCT', name: 'bits', size: 8, members: [bitfield] });
  const struct = add({ kind: 'STRUCT', name: 's.t', size: 40, members });
  add({ kind: 'DECL_TAG', name: 'tag', typeId: struct, componentIdx: 1, attribute: false });
  add({ kind: 'DECL_TAG', name: 'cold', typeId: func, componentIdx: -1, attribute: true });
  const counter = add({ kind: 'VAR', name: 'counter.0', typeId: int, linkage: 1 });
  const vars = [{ typeId: counter, offset: 60, size: 4 }];
  add({ kind: 'DATASEC', name: '?struct_ops/a b', size: 64, vars });
  add({ kind: 'DATASEC', name: '.rodata', size: 16, vars: [] });
  return builder.marshal({ layout: true });
}

/**
 * ADAPT_SHAPES are BTFs that every kernel accepts after `adapt_to_kernel`, by what newer kernels accept in them: the probe
 * of each feature that has a rewriting, and one BTF with all of them.
 */
export const ADAPT_SHAPES: ReadonlyMap<string, Uint8Array> = new Map([
  ...[...FEATURE_ROWS].flatMap(([name, { probe, rewriting }]) =>
    probe === null || rewriting === null ? [] : [[name, probeBtf(probe)] as const],
  ),
  ['all of them', newestBtf()],
]);
