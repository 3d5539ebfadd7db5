import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason, TypeSelectionSchema } from '@btfd/api';
import { Kind, Spec } from '@btfd/btf';
import { allSteps } from '../testing/collect.js';
import { BtfWriter } from '../testing/btf-bytes.js';
import { failureOf } from '../testing/service-error.js';
import { compileSelection } from '../base/selection.js';
import { WorkBudget } from '../base/work-budget.js';
import { findSelected } from './select-types.js';

type Selection = Omit<MessageInitShape<typeof TypeSelectionSchema>, '$typeName'>;

const BASE = new BtfWriter()
  .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] }) // 1
  .type(Kind.INT, 'long', { sizeOrTypeId: 8, data: [64] }) // 2
  .type(Kind.PTR, '', { sizeOrTypeId: 1 }) // 3
  .type(Kind.STRUCT, 'file', { sizeOrTypeId: 0 }) // 4
  .type(Kind.FUNC_PROTO, '', { sizeOrTypeId: 1 }) // 5
  .type(Kind.FUNC, 'file', { sizeOrTypeId: 5 }) // 6
  .type(Kind.TYPEDEF, 'file_t', { sizeOrTypeId: 4 }); // 7
const SPEC = Spec.parse(BASE.bytes());
const SPLIT = Spec.parse(new BtfWriter(BASE).type(Kind.STRUCT, 'own').type(Kind.PTR, '').bytes(), {
  base: SPEC,
});

function stepsOf(selection: Selection, spec: Spec) {
  return allSteps(
    findSelected(spec, compileSelection(create(TypeSelectionSchema, selection)), new WorkBudget()),
  );
}

async function select(selection: Selection, spec = SPEC) {
  return stepsOf(selection, spec).value;
}

describe('A selection', () => {
  test.each<[string, Selection, number[]]>([
    ['without names: all types', {}, [1, 2, 3, 4, 5, 6, 7]],
    ['of a name: all types that have it', { names: ['file'] }, [4, 6]],
    ['of names', { names: ['int', 'file_t'] }, [1, 7]],
    ['of the empty name: the anonymous types', { names: [''] }, [3, 5]],
    ['of a glob: never the anonymous types', { nameGlobs: ['*'] }, [1, 2, 4, 6, 7]],
    ['of globs', { nameGlobs: ['file?t', 'l*'] }, [2, 7]],
    ['of ids', { ids: [7, 3, 3] }, [3, 7]],
    ['of kinds alone: all of these kinds', { kinds: [Kind.PTR, Kind.FUNC] }, [3, 6]],
    ['of a name and a kind: types with both', { names: ['file'], kinds: [Kind.FUNC] }, [6]],
    ['of an id and another kind: none', { ids: [3], kinds: [Kind.FUNC] }, []],
    [
      'of name, glob and id: types with any of them',
      { names: ['int'], nameGlobs: ['*_t'], ids: [3] },
      [1, 3, 7],
    ],
    ['of a kind that no type has', { kinds: [200] }, []],
  ])('%s', async (_, selection, ids) => {
    const selected = await select(selection);
    expect(selected.ids).toEqual(ids);
    expect(selected.result).toEqual({
      typeCount: ids.length,
      namesNotFound: [],
      globsNotMatched: [],
      idsNotFound: [],
    });
  });

  test('returns the names, globs and ids that no type has', async () => {
    const { ids, result } = await select({
      names: ['nothing', 'int', 'in'],
      nameGlobs: ['x*', 'i*', '[y-z]'],
      ids: [0, 2, 8, 0xffff_ffff],
    });
    expect(ids).toEqual([1, 2]);
    expect(result).toEqual({
      typeCount: 2,
      namesNotFound: ['nothing', 'in'],
      globsNotMatched: ['x*', '[y-z]'],
      idsNotFound: [0, 8, 0xffff_ffff],
    });
  });

  test('counts a name as found even if its types have another kind', async () => {
    const { ids, result } = await select({ names: ['int'], nameGlobs: ['lon?'], kinds: [Kind.FUNC] });
    expect([ids, result.namesNotFound, result.globsNotMatched]).toEqual([[], [], []]);
  });

  test('of split BTF selects its own types', async () => {
    expect((await select({}, SPLIT)).ids).toEqual([8, 9]);
    const { ids, result } = await select({ names: ['own', 'int'], ids: [1, 9, 10] }, SPLIT);
    expect([ids, result.namesNotFound, result.idsNotFound]).toEqual([[8, 9], ['int'], [1, 10]]);
  });

  test('of many names selects as one of few', async () => {
    const more = Array.from({ length: 20 }, (_, i) => `no_${i}`);
    const { ids, result } = await select({ names: ['file', 'int', ...more], ids: [3, 0] });
    expect([ids, result.namesNotFound, result.idsNotFound]).toEqual([[1, 3, 4, 6], more, [0]]);
  });

  const list = <T>(length: number, value: T): T[] => Array.from({ length }, () => value);

  test.each<[string, Selection, Selection]>([
    ['names', { names: list(1000, 'a') }, { names: list(1001, 'a') }],
    ['name_globs', { nameGlobs: list(100, 'a') }, { nameGlobs: list(101, 'a') }],
    ['kinds', { kinds: list(32, 1) }, { kinds: list(33, 1) }],
    ['ids', { ids: list(10_000, 1) }, { ids: list(10_001, 1) }],
  ])('with more %s than allowed is refused', async (field, most, tooMany) => {
    await select(most);
    const error = await failureOf(() => select(tooMany));
    expect(error.violations.map((violation) => violation.field)).toEqual([`selection.${field}`]);
  });
});

describe('A long selection', () => {
  const many = new BtfWriter();
  for (let i = 0; i < 60_000; i++) many.type(Kind.PTR, '', { sizeOrTypeId: 1 });
  // A tag may have any text. A hostile glob takes long to reject this one.
  const hostile = new BtfWriter();
  for (let i = 0; i < 3; i++) hostile.type(Kind.DECL_TAG, 'a'.repeat(10_000), { data: [0] });
  const globs = Array.from({ length: 20 }, (_, i) => `${'*a'.repeat(50)}b${i}`);

  test.each([
    ['because there are many types', Spec.parse(many.bytes()), {}],
    ['because of globs and names', Spec.parse(hostile.bytes()), { nameGlobs: globs }],
  ])('lets other jobs run, %s', (_, spec, selection) => {
    // Checks that there are turns, not how long each takes.
    expect(stepsOf(selection, spec).turns).toBeGreaterThan(1);
  });
});

describe('A selection by globs', () => {
  const names = (count: number, length: number): Spec => {
    const writer = new BtfWriter();
    for (let i = 0; i < count; i++) writer.type(Kind.TYPEDEF, `${i}${'a'.repeat(length)}`);
    return Spec.parse(writer.bytes());
  };
  const globs = (count: number): string[] => Array.from({ length: count }, (_, i) => `*[b-z]*${i}`);

  test('ends with an error that says what was too much, and what to do', async () => {
    const selector = compileSelection(create(TypeSelectionSchema, { nameGlobs: globs(100) }));
    const error = await failureOf(() =>
      allSteps(findSelected(names(1000, 20), selector, new WorkBudget(1_000_000))),
    );
    expect([error.reason, error.metadata]).toEqual([
      ErrorReason.WORK_TOO_LARGE,
      { resource: 'steps', work: 'globs', limit: '1000000' },
    ]);
    expect(error.message).toBe(
      'matching the globs with the names of the types takes more than 1000000 steps: send fewer globs, or names',
    );
  });

  test('is within the budget with the most globs, and the types of a kernel', () => {
    expect(stepsOf({ nameGlobs: globs(100) }, names(100_000, 12)).turns).toBeGreaterThan(10);
  });

  test('costs no more if a glob is repeated, or has matched what it would match', () => {
    const spec = names(10_000, 20);
    const turns = (nameGlobs: string[]): number => stepsOf({ nameGlobs }, spec).turns;
    const once = turns(['*[b-z]']);
    expect(turns(Array.from({ length: 100 }, () => '*[b-z]'))).toBe(once);
    expect(turns(Array.from({ length: 100 }, (_, i) => '*'.repeat(i + 1)))).toBeLessThanOrEqual(once);
  });
});
