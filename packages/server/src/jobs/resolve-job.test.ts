import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import {
  ErrorReason,
  MemberErrorCode,
  MemberResultSchema,
  ResolveMembersResponseSchema,
  type MemberResult,
} from '@btfd/api';
import { Kind } from '@btfd/btf';
import { BtfWriter } from '../testing/btf-bytes.js';
import { failureOf } from '../testing/service-error.js';
import { resolveSteps } from './resolve-job.js';
import { SpecCache } from './spec-cache.js';
import { WorkBudget } from '../base/work-budget.js';

/** `struct s { struct s *next; wide_t w; }` with tags between the pointer and the struct, and names of multibyte characters. */
function linked(tags: readonly string[], member = 'w'): Uint8Array {
  const writer = new BtfWriter()
    .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 16, data: ['next', 2, 0, member, 3, 64] })
    .type(Kind.PTR, '', { sizeOrTypeId: tags.length === 0 ? 1 : 4 })
    .type(Kind.TYPEDEF, '\u{4e2d}'.repeat(2_000), { sizeOrTypeId: 2 });
  for (const [index, tag] of tags.entries()) {
    const next = index === tags.length - 1 ? 1 : writer.nextId + 1;
    writer.type(Kind.TYPE_TAG, tag, { sizeOrTypeId: next });
  }
  return writer.bytes();
}

function resolved(bytes: Uint8Array, ...paths: string[]): MemberResult[] {
  return resolvedWithin(new WorkBudget(), bytes, paths);
}

function resolvedWithin(budget: WorkBudget, bytes: Uint8Array, paths: readonly string[]): MemberResult[] {
  const btf = { digest: 'd', bytes };
  const job = { name: 'resolve', btf, base: null, paths, digest: new Uint8Array() } as const;
  let response = new Uint8Array();
  for (const item of resolveSteps(job, new SpecCache(1 << 20), budget))
    if (item !== null) response = new Uint8Array(item);
  return fromBinary(ResolveMembersResponseSchema, response).results;
}

const sizeOf = (result: MemberResult | undefined): number =>
  result === undefined ? 0 : toBinary(MemberResultSchema, result).length;

describe('A result of ResolveMembers', () => {
  const pathOf = (steps: number) => `s${'.next'.repeat(steps)}`;

  test('has less than 100 bytes for an ordinary path', () => {
    const [result] = resolved(linked(['user']), pathOf(3));
    expect(result?.result.case).toBe('member');
    expect(sizeOf(result)).toBeLessThan(100);
  });

  test.each([
    ['tags of any length', linked(['x'.repeat(10_000)]), pathOf(2)],
    ['any number of tags', linked(Array.from({ length: 500 }, () => 'rcu')), pathOf(2)],
    ['many pointers with some tags each', linked(['user', 'rcu', 'percpu']), pathOf(64)],
  ])('is an error if it would have more than a kilobyte: %s', (_, bytes, path) => {
    const [result] = resolved(bytes, path);
    expect(result?.result).toMatchObject({
      case: 'error',
      value: { message: expect.stringMatching(/^the result for /) },
    });
    expect(sizeOf(result)).toBeLessThanOrEqual(1024);
  });

  test('has at most a kilobyte with a type’s name, or an error, of multibyte characters', () => {
    const wide = '\u{4e2d}'.repeat(330);
    const [typed, missing] = resolved(linked([]), 's.w', `s.${wide}`);
    expect(typed?.result.case).toBe('member');
    expect(missing?.result.case).toBe('error');
    for (const result of [typed, missing]) expect(sizeOf(result)).toBeLessThanOrEqual(1024);
  });
});

describe('An ambiguous result of ResolveMembers', () => {
  /** `struct s { T first; int moved; }` some times, each with `moved` at another place, and a name for T. */
  const twins = (count: number, typeName = 'int', name = 's'): Uint8Array => {
    const writer = new BtfWriter().type(Kind.INT, typeName, { sizeOrTypeId: 4, data: [32] });
    for (let i = 0; i < count; i++) {
      writer.type(Kind.STRUCT, name, {
        vlen: 2,
        sizeOrTypeId: 64,
        data: ['first', 1, 0, 'moved', 1, 32 * (i + 1)],
      });
    }
    return writer.bytes();
  };
  const errorOf = (result: MemberResult | undefined) =>
    result?.result.case === 'error' ? result.result.value : undefined;

  test('has the candidates, and each resolves by its id', () => {
    const [same, moved, byId, absent, unknown] = resolved(
      twins(3),
      's.first',
      's.moved',
      '3.moved',
      's.none',
      '9.x',
    );
    expect(same?.result).toMatchObject({ case: 'member', value: { bitOffset: 0n, containerId: 2 } });
    expect(errorOf(moved)).toMatchObject({
      code: MemberErrorCode.AMBIGUOUS,
      step: -1,
      candidateCount: 3,
      candidates: [2, 3, 4].map((typeId, i) => ({
        typeId,
        typeName: 'struct s',
        inBase: false,
        member: { bitOffset: BigInt(32 * (i + 1)), bitSize: 32n, typeName: 'int' },
      })),
    });
    expect(byId?.result).toMatchObject({ case: 'member', value: { bitOffset: 64n } });
    expect(errorOf(absent)).toMatchObject({ code: MemberErrorCode.NO_SUCH_MEMBER, step: 0 });
    expect(errorOf(unknown)).toMatchObject({ code: MemberErrorCode.NO_SUCH_TYPE, step: -1 });
  });

  const WIDE = '\u{4e2d}'.repeat(250);
  test.each([
    ['many candidates', twins(60), 's', 60, 8],
    ['long names of types', twins(60, '\u{4e2d}'.repeat(2_000)), 's', 60, 1],
    ['a long name', twins(20, 'int', WIDE), WIDE, 20, 3],
    ['more candidates than are followed', twins(500), 's', 0, 0],
  ])('has at most a kilobyte: %s', (_, bytes, name, count, least) => {
    const [result] = resolved(bytes, `${name}.moved`);
    expect(sizeOf(result)).toBeLessThanOrEqual(1024);
    expect(errorOf(result)).toMatchObject({ code: MemberErrorCode.AMBIGUOUS, candidateCount: count });
    expect(errorOf(result)?.candidates.length).toBeGreaterThanOrEqual(least);
  });
});

describe('The paths of ResolveMembers', () => {
  const paths = (count: number, path: string): string[] => Array.from({ length: count }, () => path);
  const messageOf = (result: MemberResult | undefined): string =>
    result?.result.case === 'error' ? result.result.value.message : '';

  /** A struct whose last member, after many others, points to it. */
  const wide = (): Uint8Array => {
    const writer = new BtfWriter();
    const members = Array.from({ length: 20_000 }, (_, index) => [`m${index}`, 2, 0]);
    return writer
      .type(Kind.STRUCT, 's', { vlen: 20_001, sizeOrTypeId: 16, data: [...members.flat(), 'next', 2, 0] })
      .type(Kind.PTR, '', { sizeOrTypeId: 1 })
      .bytes();
  };

  test('end with an error that says what was too much, and what to do', async () => {
    const budget = new WorkBudget(20_000_000);
    const error = await failureOf(() =>
      resolvedWithin(budget, wide(), paths(1000, `s${'.next'.repeat(60)}`)),
    );
    expect([error.reason, error.metadata['work']]).toEqual([ErrorReason.WORK_TOO_LARGE, 'paths']);
    expect(error.message).toMatch(
      /^resolving the paths takes more than 20000000 steps: send fewer paths in one call$/,
    );
  });

  test('may not decode a large struct a thousand times, even if its first member is wanted', async () => {
    const error = await failureOf(() =>
      resolvedWithin(new WorkBudget(20_000_000), wide(), paths(1000, 's.m0')),
    );
    expect([error.reason, error.metadata['work']]).toEqual([ErrorReason.WORK_TOO_LARGE, 'paths']);
  });

  test('may not compare large types of many structs of one name', async () => {
    const writer = new BtfWriter().type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] });
    const params = Array.from({ length: 20_000 }, () => [0, 1]).flat();
    for (let i = 0; i < 16; i++) {
      writer
        .type(Kind.FUNC_PROTO, '', { vlen: 20_000, sizeOrTypeId: 1, data: params })
        .type(Kind.PTR, '', { sizeOrTypeId: writer.nextId - 1 })
        .type(Kind.STRUCT, 's', { vlen: 1, sizeOrTypeId: 8, data: ['p', writer.nextId - 1, 0] });
    }
    const error = await failureOf(() =>
      resolvedWithin(new WorkBudget(100_000_000), writer.bytes(), paths(6, 's.p')),
    );
    expect(error.reason).toBe(ErrorReason.WORK_TOO_LARGE);
  });

  test('let other jobs have turns, also if each looks at many members', () => {
    const btf = { digest: 'd', bytes: wide() };
    const job = {
      name: 'resolve',
      btf,
      base: null,
      paths: paths(20, 's.next'),
      digest: new Uint8Array(),
    } as const;
    const turns = [...resolveSteps(job, new SpecCache(1 << 20))].filter((item) => item === null);
    expect(turns).toHaveLength(20);
  });

  test('may be as many as allowed if all are misspelt, but only some have suggestions', () => {
    const results = resolved(linked([]), ...paths(500, 's.nexd'), ...paths(500, 't.next'));
    expect(results).toHaveLength(1000);
    const suggested = results.filter((result) => messageOf(result).includes('did you mean "next"?'));
    expect(suggested).toHaveLength(64);
    expect(messageOf(results.at(-1))).toContain('no struct, union or typedef of this name');
  });
});
