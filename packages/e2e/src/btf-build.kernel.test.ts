import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder, dedup, Kind, merge, selectTypes, Spec } from '@btfd/btf';
import { btfLoad } from '@btfd/native';

/** Returns the BTF as the kernel keeps it after a load. @throws BpfError if the kernel rejects it. */
async function loaded(bytes: Uint8Array): Promise<Uint8Array> {
  using btf = await btfLoad(bytes, 0);
  return new Uint8Array(await btf.read());
}

needs('bpf').describe('the kernel accepts what the library builds:', () => {
  let vmlinux: Spec;
  let all: number[];

  beforeAll(() => {
    vmlinux = Spec.parse(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')));
    all = globalThis.Array.from({ length: vmlinux.typeCount }, (_, i) => i + 1);
  });

  test('vmlinux type by type, and returns it unchanged', async () => {
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(vmlinux, all);
    const bytes = builder.marshal();
    const back = await loaded(bytes);
    expect(Buffer.compare(back, bytes)).toBe(0);
    expect(Spec.parse(back).typeCount).toBe(vmlinux.typeCount);
  });

  test('vmlinux shuffled, with shared suffixes', async () => {
    const builder = new Builder({ deduplicate: false });
    // A prime larger than the count, so its multiples reach every id once.
    const count = all.length;
    const shuffled = all.map((_, i) => ((i * 1_000_003) % count) + 1);
    expect(new Set(shuffled).size).toBe(count);
    builder.addAllFrom(vmlinux, shuffled);
    expect(Spec.parse(await loaded(builder.marshal({ shareSuffixes: true }))).typeCount).toBe(count);
  });

  test('vmlinux without the kinds that kernels before 5.16 do not know', async () => {
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(vmlinux, all);
    const options = { replaceDeclTags: true, replaceTypeTags: true, replaceEnum64: true };
    const back = Spec.parse(await loaded(builder.marshal(options)));
    expect(back.typeCount).toBeGreaterThanOrEqual(vmlinux.typeCount);
    const replaced = new Set<number>([Kind.DECL_TAG, Kind.TYPE_TAG, Kind.ENUM64]);
    expect(all.filter((id) => replaced.has(back.kindOf(id)))).toEqual([]);
  });

  test('types of every kind, added by value', async () => {
    const builder = new Builder();
    const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
    const list = builder.reserve();
    const pointer = builder.add({ kind: 'PTR', typeId: list });
    const field = { typeId: int, bitOffset: 64, bitfieldSize: 3 };
    const next = { name: 'next', typeId: pointer, bitOffset: 0, bitfieldSize: 0 };
    builder.define(list, {
      kind: 'STRUCT',
      name: 'list',
      size: 16,
      members: [next, { name: 'bits', ...field }],
    });
    builder.add({ kind: 'ARRAY', typeId: int, indexTypeId: int, nelems: 3 });
    builder.add({ kind: 'UNION', name: 'u', size: 8, members: [next] });
    builder.add({ kind: 'ENUM', name: 'e', size: 4, signed: true, values: [{ name: 'A', value: -1 }] });
    const most = 2n ** 64n - 1n;
    builder.add({
      kind: 'ENUM64',
      name: 'e64',
      size: 8,
      signed: false,
      values: [{ name: 'B', value: most }],
    });
    builder.add({ kind: 'FWD', name: 'later', union: true });
    builder.add({ kind: 'FLOAT', name: 'double', size: 8 });
    const typedef = builder.add({ kind: 'TYPEDEF', name: 'list_t', typeId: list });
    builder.add({ kind: 'DECL_TAG', name: 'tag', typeId: typedef, componentIdx: -1, attribute: false });
    const tagged = builder.add({ kind: 'TYPE_TAG', name: 'user', typeId: int, attribute: false });
    builder.add({ kind: 'PTR', typeId: tagged });
    for (const kind of ['CONST', 'VOLATILE'] as const) builder.add({ kind, typeId: int });
    builder.add({ kind: 'RESTRICT', typeId: pointer });
    const params = [{ name: 'self', typeId: pointer }];
    const proto = builder.add({ kind: 'FUNC_PROTO', returnTypeId: int, params });
    builder.add({ kind: 'FUNC', name: 'call', typeId: proto, linkage: 1 });
    const variable = builder.add({ kind: 'VAR', name: 'counter', typeId: int, linkage: 1 });
    const vars = [{ typeId: variable, offset: 0, size: 4 }];
    builder.add({ kind: 'DATASEC', name: '.bss', size: 4, vars });
    const back = Spec.parse(await loaded(builder.marshal()));
    expect([...back]).toEqual([...builder.toSpec()]);
    expect(back.typeCount).toBe(builder.typeCount);
  });

  test('a builder without types, but only with preventNoTypeFound', async () => {
    const empty = new Builder();
    await expect(loaded(empty.marshal())).rejects.toMatchObject({ code: 'EINVAL' });
    expect(Spec.parse(await loaded(empty.marshal({ preventNoTypeFound: true }))).typeCount).toBe(1);
  });

  test('a selection with its closure, and the result of deduplication', async () => {
    const { bytes } = selectTypes(vmlinux, vmlinux.idsByName('task_struct'));
    expect(Spec.parse(await loaded(bytes)).typeCount).toBe(Spec.parse(bytes).typeCount);
    const part = Spec.parse(bytes);
    const twice = Spec.parse(merge([part, part]).bytes);
    const left = dedup(twice).bytes;
    expect(Spec.parse(await loaded(left)).typeCount).toBe(Spec.parse(left).typeCount);
    expect(Spec.parse(left).typeCount).toBe(Spec.parse(dedup(part).bytes).typeCount);
  });
});
