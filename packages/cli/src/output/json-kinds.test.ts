import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Builder, FuncLinkage, KINDS, type TypeId, VarLinkage } from '@btfd/btf';
import { parse } from 'yaml';
import { runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';

const SCHEMAS = fileURLToPath(new URL('../../schema', import.meta.url));
const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));

/** Yields each value of a field, at any depth. */
function* valuesOf(field: string, value: unknown): Generator<unknown, void, void> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, own] of Object.entries(value)) {
    if (key === field) yield own;
    yield* valuesOf(field, own);
  }
}

/** A type of each kind that has a name, and others. @param size of the struct. */
function btfOf(size: number): Uint8Array {
  const builder = new Builder();
  const add = (type: Parameters<Builder['add']>[0]): TypeId => builder.add(type);
  const int = add({ kind: 'INT', name: 'an_int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const member = { name: 'member', typeId: int, bitOffset: 0, bitfieldSize: 0 };
  const struct = add({ kind: 'STRUCT', name: 'a_struct', size, members: [member] });
  add({ kind: 'UNION', name: 'a_union', size, members: [member] });
  add({ kind: 'ENUM', name: 'an_enum', size: 4, signed: false, values: [{ name: 'ONE', value: size }] });
  const values = [{ name: 'MANY', value: BigInt(size) }];
  add({ kind: 'ENUM64', name: 'an_enum64', size: 8, signed: false, values });
  add({ kind: 'FWD', name: 'a_fwd', union: false });
  add({ kind: 'TYPEDEF', name: 'a_typedef', typeId: size === 8 ? int : struct });
  add({ kind: 'FLOAT', name: 'a_float', size: size === 8 ? 8 : 4 });
  const params = size === 8 ? [] : [{ name: 'own', typeId: int }];
  const proto = add({ kind: 'FUNC_PROTO', returnTypeId: 0, params });
  add({ kind: 'FUNC', name: 'a_func', typeId: proto, linkage: FuncLinkage.STATIC });
  const variable = add({
    kind: 'VAR',
    name: 'a_var',
    typeId: size === 8 ? int : struct,
    linkage: VarLinkage.GLOBAL,
  });
  add({ kind: 'DATASEC', name: '.data', size, vars: [{ typeId: variable, offset: 0, size: 4 }] });
  add({ kind: 'DECL_TAG', name: 'a_decl_tag', typeId: struct, componentIdx: -1, attribute: false });
  add({
    kind: 'PTR',
    typeId: add({ kind: 'TYPE_TAG', name: 'a_type_tag', typeId: struct, attribute: false }),
  });
  return builder.marshal();
}

describe('kinds in JSON and YAML', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-kinds-'));
    writeFileSync(join(dir, 'a.btf'), btfOf(8));
    writeFileSync(join(dir, 'b.btf'), btfOf(16));
    writeSmallKernel(join(dir, 'kernel'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  async function kindsIn(...args: readonly string[]): Promise<string[]> {
    const words = args.map((arg) => arg.replace(/^(a\.btf|b\.btf|kernel)$/, `${dir}/$1`));
    const { stdout } = await runCli([...words, '-o', 'json']);
    const data: unknown = JSON.parse(stdout);
    expect(parse((await runCli([...words, '-o', 'yaml'])).stdout)).toEqual(data);
    return [...new Set([...valuesOf('kind', data)].map(String))];
  }

  test('are those of bpftool in the schema of each command', () => {
    for (const name of readdirSync(SCHEMAS)) {
      const schema: unknown = JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8'));
      for (const kind of valuesOf('kind', schema)) {
        const names: unknown[] = [...valuesOf('enum', { kind })].flat();
        const patterns = [...valuesOf('pattern', { kind })];
        expect([name, names.length + patterns.length > 0]).toEqual([name, true]);
        for (const one of names) expect(one).toMatch(/^[A-Z0-9_]+$/);
        for (const pattern of patterns) expect(pattern).toBe('^[A-Z0-9_]+$');
      }
    }
  });

  test('are the same in all commands', async () => {
    const all = await kindsIn('dump', 'a.btf');
    // dump has the output of bpftool, with which other tests compare it.
    expect(all.toSorted()).toEqual(
      Object.keys(KINDS)
        .filter((kind) => !['VOID', 'UNKNOWN', 'ARRAY', 'VOLATILE', 'CONST', 'RESTRICT'].includes(kind))
        .toSorted(),
    );
    const named = await kindsIn('find', '*', '--in', 'a.btf');
    expect(named.toSorted()).toEqual(all.filter((kind) => !['PTR', 'FUNC_PROTO'].includes(kind)).toSorted());
    const different = await kindsIn('diff', 'a.btf', 'b.btf');
    expect(different.toSorted()).toEqual(
      ['DATASEC', 'ENUM', 'FLOAT', 'FUNC', 'STRUCT', 'TYPEDEF', 'UNION', 'VAR'].toSorted(),
    );
    expect(await kindsIn('layout', 'a_struct', 'a_union', '--in', 'a.btf')).toEqual(['STRUCT', 'UNION']);
    const judged = await kindsIn('compat', AGENT, '--on', 'kernel', '--all');
    expect(judged).toContain('FIELD_BYTE_OFFSET');
    expect(judged).toContain('ATTACH_TARGET');
    for (const kind of judged) expect(kind).toMatch(/^[A-Z0-9_]+$/);
  });
});
