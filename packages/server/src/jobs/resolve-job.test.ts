import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { MemberResultSchema, ResolveMembersResponseSchema, type MemberResult } from '@btfd/api';
import { Kind } from '@btfd/btf';
import { BtfWriter } from '../testing/btf-bytes.js';
import { resolveSteps } from './resolve-job.js';
import { SpecCache } from './spec-cache.js';

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
  const btf = { digest: 'd', bytes };
  const job = { name: 'resolve', btf, base: null, paths, digest: new Uint8Array() } as const;
  let response = new Uint8Array();
  for (const item of resolveSteps(job, new SpecCache(1 << 20)))
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
