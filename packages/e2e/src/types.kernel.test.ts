import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Encoding, Feature, type LoadHandleRequestSchema, type Type } from '@btfd/api';
import { Builder, IntEncoding, Kind, sizeof } from '@btfd/btf';
import { BtfClient, BtfError } from '@btfd/client';
import { status } from '@grpc/grpc-js';
import { btfDump } from './testing/bpftool.js';
import { bpftoolJson } from './testing/bpftool-json.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';

const INT = {
  kind: 'INT',
  name: 'int',
  size: 4,
  encoding: IntEncoding.SIGNED,
  bits: 32,
  bitOffset: 0,
} as const;

needs('bpf').describe('types over the wire', () => {
  let daemon: DaemonProcess;
  let raw: RawClient;
  let client: BtfClient;
  let dir: string;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    raw = new RawClient(daemon.address);
    client = new BtfClient(daemon.address);
    dir = mkdtempSync(join(tmpdir(), 'btf-types-'));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    await client.close();
    raw[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  /** Compiles C. @throws Error with the compiler's output if the C is invalid. */
  function compile(source: string): void {
    const file = join(dir, 'test.c');
    writeFileSync(file, source);
    execFileSync('gcc', ['-fsyntax-only', '-Wall', '-Wno-unknown-pragmas', '-Wno-packed-not-aligned', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  function dumpOf(bytes: Uint8Array): unknown[] {
    const file = join(dir, 'test.btf');
    writeFileSync(file, bytes);
    return btfDump('file', file);
  }

  needs('bpftool').test('bpftool reads from an object the types that LoadHandle built it from', async () => {
    const int = {
      id: 1,
      kind: Kind.INT,
      name: 'int',
      detail: { case: 'int', value: { size: 4, encoding: 1, bits: 32 } },
    } as const;
    const types: MessageInitShape<typeof LoadHandleRequestSchema> = {
      source: {
        case: 'types',
        value: {
          types: [
            int,
            {
              id: 2,
              name: 'node',
              detail: {
                case: 'struct',
                value: {
                  size: 16,
                  members: [
                    { name: 'value', typeId: 1 },
                    { name: 'next', typeId: 3, bitOffset: 64 },
                  ],
                },
              },
            },
            { id: 3, detail: { case: 'ptr', value: { typeId: 2 } } },
            {
              id: 4,
              name: 'e',
              detail: { case: 'enum', value: { size: 4, signed: true, values: [{ name: 'A', value: -1n }] } },
            },
            {
              id: 5,
              name: 'e64',
              detail: { case: 'enum64', value: { size: 8, values: [{ name: 'B', bits: 1n << 63n }] } },
            },
            {
              id: 6,
              detail: { case: 'funcProto', value: { returnTypeId: 1, params: [{ name: 'p', typeId: 3 }] } },
            },
            { id: 7, name: 'f', detail: { case: 'func', value: { typeId: 6, linkage: 1 } } },
            { id: 8, name: 'tag', detail: { case: 'declTag', value: { typeId: 2, componentIdx: 1 } } },
          ],
        },
      },
    };
    const { result } = await raw.call('loadHandle', types);
    if (result.case !== 'handle') throw new Error('no handle');
    const dump = btfDump('id', String(result.value.info?.id));
    expect(dump).toMatchObject([
      { kind: 'INT', name: 'int' },
      {
        kind: 'STRUCT',
        name: 'node',
        members: [{ name: 'value' }, { name: 'next', type_id: 3, bits_offset: 64 }],
      },
      { kind: 'PTR', type_id: 2 },
      { kind: 'ENUM', name: 'e', encoding: 'SIGNED', values: [{ name: 'A', val: '-1' }] },
      { kind: 'ENUM64', name: 'e64', values: [{ name: 'B', val: String(1n << 63n) }] },
      { kind: 'FUNC_PROTO', params: [{ name: 'p', type_id: 3 }] },
      { kind: 'FUNC', name: 'f', linkage: 'global' },
      { kind: 'DECL_TAG', name: 'tag', component_idx: 1 },
    ]);
    // The types that Spec returns can be loaded again, and the object is the same.
    const back: Type[] = [];
    const source = { case: 'handle', value: result.value.token } as const;
    for await (const { part } of raw.stream('spec', { source, encoding: Encoding.TYPES })) {
      if (part.case === 'types') back.push(...part.value.types);
    }
    const again = await raw.call('loadHandle', { source: { case: 'types', value: { types: back } } });
    if (again.result.case !== 'handle') throw new Error('no handle');
    expect(btfDump('id', String(again.result.value.info?.id))).toEqual(dump);
    await raw.call('closeHandles', { tokens: [result.value.token, again.result.value.token] });
  });

  const ptr = { detail: { case: 'ptr', value: {} } } as const;
  test.each<
    [string, NonNullable<MessageInitShape<typeof LoadHandleRequestSchema>['source']>, string, string]
  >([
    ['no types', { case: 'types', value: {} }, 'INVALID_REQUEST', 'types'],
    [
      'ids that do not count from 1',
      { case: 'types', value: { types: [{ ...ptr, id: 2 }] } },
      'INVALID_REQUEST',
      'types.types[0].id',
    ],
    [
      'a type without detail',
      { case: 'types', value: { types: [{ id: 1 }] } },
      'INVALID_REQUEST',
      'types.types[0].detail',
    ],
    [
      'half a type',
      { case: 'types', value: { types: [{ ...ptr, id: 1, continued: true }] } },
      'INVALID_REQUEST',
      'types.types[0].continued',
    ],
    [
      'a kind that does not match the detail',
      { case: 'types', value: { types: [{ ...ptr, id: 1, kind: Kind.INT }] } },
      'INVALID_REQUEST',
      'types.types[0].kind',
    ],
  ])('LoadHandle refuses %s', async (_, source, reason, field) => {
    const error = await failureOf(raw.call('loadHandle', { source }));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.INVALID_ARGUMENT, reason]);
    expect(error.details).toContain(field);
  });

  test('LoadHandle names the type that cannot be built', async () => {
    const dangling = { id: 1, detail: { case: 'ptr', value: { typeId: 7 } } } as const;
    const error = await failureOf(
      raw.call('loadHandle', { source: { case: 'types', value: { types: [dangling] } } }),
    );
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(errorInfoOf(error)).toMatchObject({ reason: 'BTF_UNBUILDABLE', metadata: { type_id: '1' } });
  });

  test('LoadHandle accepts at most 1 MiB of types', async () => {
    const types = Array.from({ length: 200_000 }, (_, index) => ({ id: index + 1, ...ptr }));
    const error = await failureOf(raw.call('loadHandle', { source: { case: 'types', value: { types } } }));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE']);
  });

  needs('bpftool').test('the client loads a Builder', async () => {
    const builder = new Builder();
    const int = builder.add(INT);
    builder.add({
      kind: 'STRUCT',
      name: 'point',
      size: 8,
      members: ['x', 'y'].map((name, index) => ({
        name,
        typeId: int,
        bitOffset: 32 * index,
        bitfieldSize: 0,
      })),
    });
    await using handle = await client.loadHandle(builder);
    expect(btfDump('id', String(handle.info.id))).toMatchObject([
      { kind: 'INT' },
      { kind: 'STRUCT', name: 'point' },
    ]);
    await using empty = await client.loadHandle(new Builder());
    expect(btfDump('id', String(empty.info.id)).length).toBe(1);
  });

  test('GetServerInfo reports the features of the kernel’s BTF', async () => {
    const { features } = await raw.call('getServerInfo', {});
    const all = Object.values(Feature).filter(
      (feature): feature is Feature => typeof feature === 'number' && feature !== Feature.UNSPECIFIED,
    );
    expect(features.map(({ feature }) => feature)).toEqual(all);
    // Linux 6 supports those up to ENUM64. The probes of later ones are compared with loads in another test.
    if (Number.parseInt((await client.serverInfo()).kernelRelease, 10) >= 6) {
      expect(features.filter(({ feature, supported }) => feature <= Feature.ENUM64 && !supported)).toEqual(
        [],
      );
    }
  });

  needs('bpftool').test('a selection is complete BTF, which the kernel loads', async () => {
    await using vmlinux = await client.findHandle((info) => info.isVmlinux);
    const { spec, notFound } = await vmlinux.selectTypes({
      names: ['list_head', 'no_such_type'],
      nameGlobs: ['hlist_nod?'],
    });
    expect(notFound).toEqual({ names: ['no_such_type'], nameGlobs: [], ids: [] });
    const names = dumpOf(spec.bytes).map((type) => (type as { name: string }).name);
    expect(names).toEqual(expect.arrayContaining(['list_head', 'hlist_node']));
    expect(names.length).toBeLessThan(20);
    await using loaded = await client.loadHandle(spec.bytes);
    expect(btfDump('id', String(loaded.info.id))).toEqual(dumpOf(spec.bytes));
  });

  test('task_struct with all that it refers to is a small part of vmlinux, and has the same size', async () => {
    await using vmlinux = await client.findHandle((info) => info.isVmlinux);
    const part = await vmlinux.spec({ names: ['task_struct'], kinds: [Kind.STRUCT], closure: true });
    const whole = await vmlinux.spec();
    expect(part.typeCount).toBeLessThan(whole.typeCount / 2);
    const sizeIn = (spec: typeof whole) =>
      sizeof(spec, spec.typesByName('task_struct').find(({ kind }) => kind === 'STRUCT')?.id ?? 0);
    expect(sizeIn(part)).toBe(sizeIn(whole));
    const missing = vmlinux.spec({ names: ['no_such_type'] });
    await expect(missing).rejects.toThrow('no_such_type');
    expect(BtfError.from(await missing.catch((error: unknown) => error)).reason).toBe('NO_MATCH');
  });

  needs('bpftool').test(
    'TYPES with closure has exactly the types that the selected types refer to',
    async () => {
      const all = btfDump('file', '/sys/kernel/btf/vmlinux') as {
        id: number;
        kind: string;
        name: string;
        type_id?: number;
        members?: { type_id: number }[];
      }[];
      const source = { case: 'name', value: 'vmlinux' } as const;
      const types: Type[] = [];
      let count = 0;
      for await (const { part } of raw.stream('spec', {
        source,
        encoding: Encoding.TYPES,
        selection: { names: ['list_head'], closure: true },
      })) {
        if (part.case === 'header') count = part.value.selection?.typeCount ?? 0;
        if (part.case === 'types') types.push(...part.value.types);
      }
      const head = all.find(({ name, kind }) => name === 'list_head' && kind === 'STRUCT');
      const pointer = all[(head?.members?.[0]?.type_id ?? 0) - 1];
      expect(pointer).toMatchObject({ kind: 'PTR', type_id: head?.id });
      const expected = [head, pointer].toSorted((a, b) => (a?.id ?? 0) - (b?.id ?? 0));
      expect(types.map(bpftoolJson)).toEqual(expected);
      expect(count).toBe(2);
    },
  );

  needs('gcc').test(
    'a C header of a selection compiles, with the sizes and offsets that ResolveMembers returns',
    async () => {
      const paths = [
        'task_struct.pid',
        'task_struct.comm[3]',
        'task_struct.se.vruntime',
        'task_struct.mm',
        'list_head.prev',
      ];
      await using vmlinux = await client.findHandle((info) => info.isVmlinux);
      const header = await vmlinux.cHeader({ names: ['task_struct', 'list_head'], kinds: [Kind.STRUCT] });
      const results = await vmlinux.resolveMembers(paths);
      const asserts = results.map(({ path, member }) => {
        const [type, ...members] = path.split('.');
        if (member === null) throw new Error(`no ${path}`);
        const place = `struct ${type}, ${members.join('.')}`;
        return `_Static_assert(__builtin_offsetof(${place}) == ${member.bitOffset / 8}, "${path}");
_Static_assert(8 * sizeof(((struct ${type} *)0)->${members.join('.')}) == ${member.bitSize}, "size of ${path}");`;
      });
      compile(`${header}\n${asserts.join('\n')}`);
      expect(() =>
        compile(`${header}\n_Static_assert(__builtin_offsetof(struct list_head, prev) == 1, "");`),
      ).toThrow();
    },
  );

  test('ResolveMembers follows pointers, explains paths that lead nowhere, and limits the path length', async () => {
    const [pgd, nothing, noType, parse] = await client.resolveMembers('vmlinux', [
      'task_struct.mm.pgd',
      'task_struct.no_such',
      'no_such.x',
      '..',
    ]);
    expect(pgd?.member?.dereferences.length).toBe(1);
    expect(pgd?.member?.typeName).toBe('pgd_t *');
    const [mm, direct] = await client.resolveMembers('vmlinux', ['task_struct.mm', 'mm_struct.pgd']);
    expect(pgd?.member?.dereferences[0]?.bitOffset).toBe(mm?.member?.bitOffset);
    expect(pgd?.member?.bitOffset).toBe(direct?.member?.bitOffset);
    expect([nothing?.error, noType?.error, parse?.error].every((error) => typeof error === 'string')).toBe(
      true,
    );
    expect(nothing?.error).toContain('no_such');
    const error = await failureOf(
      raw.call('resolveMembers', { source: { case: 'name', value: 'vmlinux' }, paths: ['x'.repeat(2000)] }),
    );
    expect(error.code).toBe(status.INVALID_ARGUMENT);
  });

  test('BTF that is much work to print but little text ends with OUTPUT_TOO_LARGE, and later calls work', async () => {
    // Each anonymous member of one union is the other union, which has as many members.
    const builder = new Builder({ deduplicate: false });
    const int = builder.add(INT);
    const wide = (typeId: number, nameOf: (index: number) => string) =>
      Array.from({ length: 20_000 }, (_, index) => ({
        name: nameOf(index),
        typeId,
        bitOffset: 0,
        bitfieldSize: 0,
      }));
    const inner = builder.add({ kind: 'UNION', size: 4, members: wide(int, (index) => `m${index}`) });
    builder.add({ kind: 'UNION', name: 'u', size: 4, members: wide(inner, () => '') });
    await using handle = await client.loadHandle(builder);
    const header = handle.cHeader().catch((thrown: unknown) => BtfError.from(thrown).reason);
    expect(await header).toBe('OUTPUT_TOO_LARGE');
    const results = await handle.resolveMembers(['u.m19999', 'u.nothing']);
    expect(results.map(({ error }) => error === null)).toEqual([true, false]);
    await expect(client.cHeader('vmlinux', { names: ['no_such_type'] })).rejects.toThrow('no_such_type');
  });

  test('a C header that would be too large ends with OUTPUT_TOO_LARGE, and the daemon stays up', async () => {
    // Each union has the previous one twice, anonymously, so each level doubles the text.
    const builder = new Builder({ deduplicate: false });
    let inner = builder.add(INT);
    for (let depth = 0; depth < 30; depth++) {
      const nameOf = (index: number) => (depth === 0 ? `m${index}` : '');
      const members = [0, 1].map((index) => ({
        name: nameOf(index),
        typeId: inner,
        bitOffset: 0,
        bitfieldSize: 0,
      }));
      inner = builder.add({ kind: 'UNION', size: 4, members });
    }
    builder.add({
      kind: 'STRUCT',
      name: 'bomb',
      size: 4,
      members: [{ name: 'b', typeId: inner, bitOffset: 0, bitfieldSize: 0 }],
    });
    await using handle = await client.loadHandle(builder);
    const before = daemon.residentBytes();
    const error = BtfError.from(await handle.cHeader().catch((thrown: unknown) => thrown));
    expect([error.code, error.reason]).toEqual([status.RESOURCE_EXHAUSTED, 'OUTPUT_TOO_LARGE']);
    expect(daemon.residentBytes() - before).toBeLessThan(300 * 1024 * 1024);
    expect((await client.serverInfo()).daemonEpoch).not.toBe('');
  });
});
