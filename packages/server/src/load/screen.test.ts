import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Kind } from '@btfd/btf';
import { allSteps } from '../testing/all-steps.js';
import { BtfWriter } from '../testing/btf-bytes.js';
import { failureOf } from '../testing/service-error.js';
import { screen } from './screen.js';

/** A lock beside structs that nest two of each in the next. */
function nested(levels: number): Uint8Array {
  const writer = new BtfWriter().type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 });
  writer.type(Kind.STRUCT, 'leaf', { sizeOrTypeId: 4 });
  for (let level = 0; level < levels; level++) {
    const inner = writer.nextId - 1;
    writer.type(Kind.STRUCT, '', { vlen: 2, sizeOrTypeId: 4, data: ['a', inner, 0, 'b', inner, 0] });
  }
  const data = ['lock', 1, 0, 'inner', writer.nextId - 1, 32];
  return writer.type(Kind.STRUCT, 'root', { vlen: 2, sizeOrTypeId: 8, data }).bytes();
}

const judge = (bytes: Uint8Array) => failureOf(async () => allSteps(screen(bytes, 2_000)));

describe('The screen', () => {
  test('lets pass what the kernel checks within the limit', () => {
    expect(() => allSteps(screen(nested(18), 2_000))).not.toThrow();
  });

  test.each([
    [29, 'some 162 seconds'],
    [60, 'hours or longer'],
  ])('refuses what takes longer: %i levels', async (levels, words) => {
    const error = await judge(nested(levels));
    expect(error.reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    expect(error.message).toBe(
      `the kernel would search for ${words} when it checks the BTF; 2 seconds are allowed`,
    );
    expect(error.metadata).toMatchObject({ limit_ms: '2000', estimate_ms: expect.stringMatching(/^\d/) });
  });

  test('leaves what cannot be read to the kernel, which says what is wrong with it', () => {
    for (const bytes of [new Uint8Array(100), nested(29).subarray(0, 200)]) {
      expect(() => allSteps(screen(bytes, 2_000))).not.toThrow();
    }
  });

  test('refuses kinds that it does not know, behind which anything may hide', async () => {
    const error = await judge(new BtfWriter().type(20, 'later').bytes());
    expect([error.reason, error.metadata]).toEqual([ErrorReason.BTF_UNBUILDABLE, { type_id: '1' }]);
  });

  test('reads past tags longer than any name', () => {
    const tag = new BtfWriter()
      .type(Kind.STRUCT, 'bpf_list_head', { sizeOrTypeId: 16 })
      .type(Kind.DECL_TAG, `contains:${'x'.repeat(20_000)}:a`, { sizeOrTypeId: 1, data: [-1] });
    expect(() => allSteps(screen(tag.bytes(), 2_000))).not.toThrow();
  });
});
