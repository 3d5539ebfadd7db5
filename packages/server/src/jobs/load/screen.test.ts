import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Kind } from '@btfd/btf';
import { allSteps } from '../../testing/all-steps.js';
import { BtfWriter } from '../../testing/btf-bytes.js';
import { failureOf } from '../../testing/service-error.js';
import { screen } from './screen.js';

/** A lock beside structs that nest two of each in the next. */
function nested(levels: number, first = (writer: BtfWriter) => writer): BtfWriter {
  const writer = first(new BtfWriter());
  const lock = writer.nextId;
  writer.type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 });
  writer.type(Kind.STRUCT, 'leaf', { sizeOrTypeId: 4 });
  for (let level = 0; level < levels; level++) {
    const inner = writer.nextId - 1;
    writer.type(Kind.STRUCT, '', { vlen: 2, sizeOrTypeId: 4, data: ['a', inner, 0, 'b', inner, 0] });
  }
  const data = ['lock', lock, 0, 'inner', writer.nextId - 1, 32];
  return writer.type(Kind.STRUCT, 'root', { vlen: 2, sizeOrTypeId: 8, data });
}

const NO_LAYOUT = new Uint8Array();
const run = (bytes: Uint8Array, kernelLayout = NO_LAYOUT) => allSteps(screen(bytes, 2_000, kernelLayout));
const judge = (bytes: Uint8Array, kernelLayout = NO_LAYOUT) =>
  failureOf(async () => run(bytes, kernelLayout));

describe('The screen', () => {
  test('lets pass what the kernel checks within the limit', () => {
    expect(() => run(nested(18).bytes())).not.toThrow();
  });

  test.each([
    [29, 'some 162 seconds'],
    [60, 'hours or longer'],
  ])('refuses what takes longer: %i levels', async (levels, words) => {
    const error = await judge(nested(levels).bytes());
    expect(error.reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    expect(error.message).toBe(
      `the kernel would search for ${words} when it checks the BTF; 2 seconds are allowed`,
    );
    expect(error.metadata).toMatchObject({ limit_ms: '2000', estimate_ms: expect.stringMatching(/^\d/) });
  });

  test('leaves what cannot be read to the kernel, which says what is wrong with it', () => {
    for (const bytes of [new Uint8Array(100), nested(29).bytes().subarray(0, 200)]) {
      expect(() => run(bytes)).not.toThrow();
    }
  });

  describe('of a kind that is unknown here', () => {
    const LATER = 20;
    /** The layout section that gives types of the kind so many bytes beyond the first 12. */
    const layout = (once: number) => Array.from({ length: LATER + 1 }, () => [once, 0] as const);
    const kernelLayout = (once: number) =>
      Uint8Array.from(layout(once).flatMap(([info, each]) => [info, each, 0, 0]));
    /** A lock, so that there is something to search for, and the kind. */
    const withLock = () =>
      new BtfWriter()
        .type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 })
        .type(LATER, 'later', { data: [7] });

    test('refuses what has something to search for, behind which anything may hide', async () => {
      const error = await judge(withLock().bytes(), kernelLayout(4));
      expect([error.reason, error.metadata]).toEqual([ErrorReason.BTF_UNBUILDABLE, { type_id: '2' }]);
    });

    test.each(['int', 'spin_lock', 'bpf', 'ptr'])(
      'leaves to the kernel what has nothing to search for, only %s',
      (name) => {
        expect(() =>
          run(
            new BtfWriter()
              .type(Kind.INT, name, { data: [32] })
              .type(LATER, '')
              .bytes(),
          ),
        ).not.toThrow();
      },
    );

    test.each(['bpf_timer', 'kptr_untrusted', 'percpu_kptr', 'uptr', 'my_bpf_rb_root'])(
      'sees %s, also where a name begins within a longer one',
      async (name) => {
        const bytes = new BtfWriter()
          .type(Kind.INT, name, { data: [32] })
          .type(LATER, '')
          .bytes();
        expect((await judge(bytes)).reason).toBe(ErrorReason.BTF_UNBUILDABLE);
      },
    );

    test('passes over it where the kernel’s BTF tells the same size', () => {
      expect(() => run(withLock().bytes(layout(4)), kernelLayout(4))).not.toThrow();
    });

    test('judges what is beside it', async () => {
      const costly = nested(29, (writer) => writer.type(LATER, 'later', { data: [7] })).bytes(layout(4));
      expect((await judge(costly, kernelLayout(4))).reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    });

    test.each([
      ['another size', kernelLayout(8)],
      ['no size', kernelLayout(4).subarray(0, LATER * 4)],
      ['half an entry', kernelLayout(4).subarray(0, -2)],
    ])('does not believe the BTF’s own layout where the kernel’s tells %s', async (_, kernels) => {
      const error = await judge(withLock().bytes(layout(4)), kernels);
      expect([error.reason, error.metadata]).toEqual([ErrorReason.BTF_UNBUILDABLE, { type_id: '2' }]);
    });

    test.each([8, 12, 16, 244, 252])(
      'cannot be made to overlook types by a layout that lies, of %i bytes',
      async (once) => {
        // The lock and the leaf, or more, look like a part of the type before them; what follows may look malformed.
        const hidden = nested(29, (writer) => writer.type(LATER, 'later', { data: [7] }));
        const error = await judge(hidden.bytes(layout(once)), kernelLayout(4));
        expect(error.reason).toBe(ErrorReason.BTF_UNBUILDABLE);
      },
    );
  });

  test('refuses a struct of more names than are read here, which Linux 7.2 may take', async () => {
    const members = 132_000;
    const writer = new BtfWriter().type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 });
    const data = Array.from({ length: members }, () => ['x'.repeat(511), 1, 0]).flat();
    const error = await judge(writer.type(Kind.STRUCT, 'wide', { vlen: members, data }).bytes());
    expect([error.reason, error.metadata]).toEqual([ErrorReason.BTF_UNBUILDABLE, { type_id: '2' }]);
  });

  describe('of functions', () => {
    /** Functions of one prototype with so many parameters. */
    const functions = (count: number, params: number, first: number | string = 1) => {
      const data = [first, 1, ...Array.from({ length: params - 1 }, () => ['', 1]).flat()];
      const writer = new BtfWriter()
        .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
        .type(Kind.FUNC_PROTO, '', { vlen: params, data });
      for (let index = 0; index < count; index++) writer.type(Kind.FUNC, 'f', { sizeOrTypeId: 2 });
      return writer;
    };

    test('lets pass what programs and kernels have', () => {
      expect(() => run(functions(60_000, 12).bytes())).not.toThrow();
    });

    test('refuses many with many parameters each: the kernel looks at all of them for each function', async () => {
      const error = await judge(functions(40_000, 65_535).bytes());
      expect([error.reason, error.metadata['estimate_ms']]).toEqual([ErrorReason.BTF_TOO_EXPENSIVE, '2622']);
    });

    test.each([
      ['a name that lies nowhere', functions(40_000, 65_535, 0xffffff)],
      ['a name that is too long to be read', functions(40_000, 65_535, 'x'.repeat(20_000))],
      ['an id of nothing behind them', functions(40_000, 65_535).type(Kind.FUNC, 'f', { sizeOrTypeId: 1e6 })],
      [
        'a struct of nothing, and a lock',
        functions(40_000, 65_535)
          .type(Kind.STRUCT, 'bpf_spin_lock', { vlen: 1, sizeOrTypeId: 4, data: ['a', 1e6, 0] })
          .type(Kind.STRUCT, 'broken', { vlen: 1, sizeOrTypeId: 4, data: [0xffffff, 1, 0] }),
      ],
    ])('refuses them even with what the kernel finds wrong only after them: %s', async (_, writer) => {
      expect((await judge(writer.bytes())).reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    });

    test('refuses large BTF with kinds that are unknown here, which may hide them', async () => {
      const error = await judge(functions(40_000, 65_535).type(20, '').bytes());
      expect(error.reason).toBe(ErrorReason.BTF_UNBUILDABLE);
    });
  });

  test('does not let pass a header that a later kernel may take', async () => {
    const later = nested(29).bytes();
    later[3] = 1;
    expect((await judge(later)).reason).toBe(ErrorReason.BTF_UNBUILDABLE);
  });

  test('reads past tags longer than any name', () => {
    const tag = new BtfWriter()
      .type(Kind.STRUCT, 'bpf_list_head', { sizeOrTypeId: 16 })
      .type(Kind.DECL_TAG, `contains:${'x'.repeat(20_000)}:a`, { sizeOrTypeId: 1, data: [-1] });
    expect(() => run(tag.bytes())).not.toThrow();
  });
});
