import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { Kind } from '@btfd/btf';
import { isPlainBtf, PLAIN_ESTIMATE } from '../../base/load-estimate.js';
import { allSteps } from '../../testing/collect.js';
import { BtfWriter } from '../../testing/btf-bytes.js';
import { failureOf } from '../../testing/service-error.js';
import { screen } from './screen.js';

/** A lock next to structs that nest with two members in each level. */
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
const options = (kernelLayout: Uint8Array) => ({
  maxCheckMs: 2_000,
  kernelLayout,
  kernelSearchNs: () => 500_000,
});
const run = (bytes: Uint8Array, kernelLayout = NO_LAYOUT) => allSteps(screen(bytes, options(kernelLayout)));
const judge = (bytes: Uint8Array, kernelLayout = NO_LAYOUT) =>
  failureOf(async () => run(bytes, kernelLayout));

describe('The screen', () => {
  test('passes BTF that the kernel checks within the limit', () => {
    expect(() => run(nested(18).bytes())).not.toThrow();
  });

  test.each([
    [29, 'about 323 seconds'],
    [60, 'hours or longer'],
  ])('refuses BTF that takes longer: %i levels', async (levels, words) => {
    const error = await judge(nested(levels).bytes());
    expect(error.reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    expect(error.message).toBe(`the kernel would take ${words} to check the BTF; 2 seconds are allowed`);
    expect(error.metadata).toMatchObject({ limit_ms: '2000', estimate_ms: expect.stringMatching(/^\d/) });
  });

  test('passes all plain BTF, with a lower estimate than that of plain BTF', () => {
    let state = 1;
    const below = (end: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * end);
    };
    const kinds = [...Object.values(Kind), Kind.FUNC, Kind.FUNC_PROTO, Kind.PTR, 20, 122];
    let plain = 0;
    for (let round = 0; round < 5_000; round++) {
      const writer = new BtfWriter();
      const name = 'n'.repeat(below(700));
      for (let types = below(40); types > 0; types--) {
        const vlen = below(4) === 0 ? below(60) : 0;
        const data = Array.from({ length: vlen * below(4) }, () => (below(3) === 0 ? name : below(30)));
        const kind = kinds[below(kinds.length)] ?? Kind.INT;
        writer.type(kind, below(2) === 0 ? '' : name, { vlen, sizeOrTypeId: below(30), data });
      }
      const bytes = writer.bytes();
      if (!isPlainBtf(bytes)) continue;
      plain += 1;
      expect(run(bytes).value.refusedMs).toBeLessThan(PLAIN_ESTIMATE.refusedMs);
    }
    expect(plain).toBeGreaterThan(500);
  });

  test('passes malformed BTF to the kernel, whose log says what is wrong', () => {
    for (const bytes of [new Uint8Array(100), nested(29).bytes().subarray(0, 200)]) {
      expect(() => run(bytes)).not.toThrow();
    }
  });

  describe('for unknown kinds', () => {
    const LATER = 122;
    /** A layout section that states how many bytes types of the kind have after the first 12. */
    const layout = (once: number) => Array.from({ length: LATER + 1 }, () => [once, 0] as const);
    const kernelLayout = (once: number) =>
      Uint8Array.from(layout(once).flatMap(([info, each]) => [info, each, 0, 0]));
    /** A lock, so that the kernel searches, and a type of the kind. */
    const withLock = () =>
      new BtfWriter()
        .type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 })
        .type(LATER, 'later', { data: [7] });

    test('refuses BTF that the kernel would search, because the kind may hide other types', async () => {
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

    test('accepts the kind if the kernel’s BTF states the same size', () => {
      expect(() => run(withLock().bytes(layout(4)), kernelLayout(4))).not.toThrow();
    });

    test('checks the other types', async () => {
      const costly = nested(29, (writer) => writer.type(LATER, 'later', { data: [7] })).bytes(layout(4));
      expect((await judge(costly, kernelLayout(4))).reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    });

    test.each([
      ['another size', kernelLayout(8)],
      ['no size', kernelLayout(4).subarray(0, LATER * 4)],
      ['half an entry', kernelLayout(4).subarray(0, -2)],
    ])('does not trust the BTF’s own layout if the kernel’s states %s', async (_, kernels) => {
      const error = await judge(withLock().bytes(layout(4)), kernels);
      expect([error.reason, error.metadata]).toEqual([ErrorReason.BTF_UNBUILDABLE, { type_id: '2' }]);
    });

    test.each([8, 12, 16, 244, 252])(
      'finds types that a wrong layout of %i bytes would hide',
      async (once) => {
        // The lock and the leaf, or more, look like a part of the type before them. The rest may look malformed.
        const hidden = nested(29, (writer) => writer.type(LATER, 'later', { data: [7] }));
        const error = await judge(hidden.bytes(layout(once)), kernelLayout(4));
        expect(error.reason).toBe(ErrorReason.BTF_UNBUILDABLE);
      },
    );
  });

  test('reads a struct with more names than the library does, which Linux 7.2 may accept', () => {
    const members = 132_000;
    const writer = new BtfWriter().type(Kind.STRUCT, 'bpf_timer', { sizeOrTypeId: 4 });
    const name = writer.string('x'.repeat(511));
    const data = Array.from({ length: members }, () => [name, 1, 0]).flat();
    const { value } = run(writer.type(Kind.STRUCT, 'wide', { vlen: members, data }).bytes());
    expect(value.acceptedMs).toBeGreaterThan(members * 511 * 0.6e-6);
  });

  test('refuses BTF on which some kernels crash, and says which type to change', async () => {
    const writer = new BtfWriter()
      .type(Kind.STRUCT, 'bpf_spin_lock', { sizeOrTypeId: 4 })
      .type(Kind.STRUCT, 'two', { vlen: 2, sizeOrTypeId: 8, data: ['a', 1, 0, 'b', 1, 32] });
    const error = await judge(writer.bytes());
    expect([error.reason, error.metadata]).toEqual([ErrorReason.BTF_UNSAFE, { type_id: '2' }]);
    expect(error.message).toBe(
      'type 2 has more than one lock, on which some kernels crash or print a warning: remove such fields from it and from the structs and arrays in it',
    );
  });

  describe('counts the second check, with a log,', () => {
    /** A prototype whose parameters share a name. */
    const params = (count: number, length: number) => {
      const writer = new BtfWriter();
      const name = writer.string('p'.repeat(length));
      const data = Array.from({ length: count }, () => [name, 1]).flat();
      return writer
        .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
        .type(Kind.FUNC_PROTO, '', { vlen: count, data });
    };

    test('in which the kernel walks each name', async () => {
      const { value } = run(params(15_000, 100_000).bytes());
      // 20,000 parameters and 100,000 characters took 1.6 s.
      expect(value.refusedMs).toBeGreaterThan(1_200);
      expect(value.acceptedMs).toBeLessThan(10);
      expect((await judge(params(25_000, 100_000).bytes())).reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    });

    test.each([
      ['a type that does not end', (writer: BtfWriter) => writer.type(Kind.STRUCT, '', { vlen: 9 })],
      ['an unknown kind', (writer: BtfWriter) => writer.type(122, '')],
      ['the kind 0', (writer: BtfWriter) => writer.type(0, '')],
      ['a name that lies nowhere', (writer: BtfWriter) => writer.type(Kind.FWD, '', { data: [0xffffff] })],
    ])('also of BTF that the kernel refuses because of %s', async (_, spoil) => {
      const error = await judge(spoil(params(25_000, 100_000)).bytes());
      expect([ErrorReason.BTF_TOO_EXPENSIVE, ErrorReason.BTF_UNBUILDABLE]).toContain(error.reason);
    });

    test('of tags, whose names may have any length', async () => {
      const writer = new BtfWriter();
      const name = 't'.repeat(2_000_000);
      for (let index = 0; index < 1_000; index++) writer.type(Kind.TYPE_TAG, name);
      expect((await judge(writer.bytes())).reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    });
  });

  test('leaves the kind 0 to the kernel, which refuses it', () => {
    const large = new BtfWriter();
    for (let index = 0; index < 50_000; index++) large.type(Kind.STRUCT, 'bpf_spin_lock');
    expect(() => run(large.type(0, '').bytes())).not.toThrow();
  });

  test('passes BTF in the byte order of other machines, which the kernel refuses at once', () => {
    const bytes = nested(29).bytes();
    bytes.subarray(0, 2).reverse();
    expect(run(bytes).value).toEqual({ acceptedMs: 0, refusedMs: 0 });
  });

  describe('for functions', () => {
    /** Functions that share one prototype with many parameters. */
    const functions = (count: number, params: number, first: number | string = 1) => {
      const data = [first, 1, ...Array.from({ length: params - 1 }, () => ['', 1]).flat()];
      const writer = new BtfWriter()
        .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
        .type(Kind.FUNC_PROTO, '', { vlen: params, data });
      for (let index = 0; index < count; index++) writer.type(Kind.FUNC, 'f', { sizeOrTypeId: 2 });
      return writer;
    };

    test('passes ordinary programs and kernels', () => {
      expect(() => run(functions(60_000, 12).bytes())).not.toThrow();
    });

    test('refuses many with many parameters, all of which the kernel checks for each function', async () => {
      const error = await judge(functions(40_000, 65_535).bytes());
      expect([error.reason, error.metadata['estimate_ms']]).toEqual([ErrorReason.BTF_TOO_EXPENSIVE, '5285']);
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
    ])('refuses them even with an error that the kernel finds only after them: %s', async (_, writer) => {
      expect((await judge(writer.bytes())).reason).toBe(ErrorReason.BTF_TOO_EXPENSIVE);
    });

    test('refuses large BTF with unknown kinds, which may hide them', async () => {
      const error = await judge(functions(40_000, 65_535).type(20, '').bytes());
      expect(error.reason).toBe(ErrorReason.BTF_UNBUILDABLE);
    });
  });

  test('refuses a header that a later kernel may accept', async () => {
    const later = nested(29).bytes();
    later[3] = 1;
    expect((await judge(later)).reason).toBe(ErrorReason.BTF_UNBUILDABLE);
  });

  test('accepts tags longer than any name', () => {
    const tag = new BtfWriter()
      .type(Kind.STRUCT, 'bpf_list_head', { sizeOrTypeId: 16 })
      .type(Kind.DECL_TAG, `contains:${'x'.repeat(20_000)}:a`, { sizeOrTypeId: 1, data: [-1] });
    expect(() => run(tag.bytes())).not.toThrow();
  });
});
