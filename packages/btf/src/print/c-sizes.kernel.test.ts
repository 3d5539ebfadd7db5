import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfReadError } from '../format-error.js';
import { alignof } from '../query/alignof.js';
import { sizeof } from '../query/sizeof.js';
import { Spec } from '../spec.js';
import { VMLINUX } from '../testing/bpftool.js';
import type { KindName } from '../types.js';
import { CSizes } from './c-sizes.js';
import { typeWordsOf } from './type-words.js';
import { WorkLimit } from './work-limit.js';

/** No member has such a type. */
const SIZELESS: ReadonlySet<KindName> = new Set(['FUNC', 'FUNC_PROTO', 'VAR', 'DATASEC', 'DECL_TAG']);

/** The result of `ask`, or `none` if it throws. */
function orNone(ask: () => number, none: number): number {
  try {
    return ask();
  } catch (error) {
    if (error instanceof BtfReadError) return none;
    throw error;
  }
}

needs('vmlinux').test('CSizes returns the same sizes and alignments as sizeof and alignof', () => {
  const spec = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
  const types = typeWordsOf(spec);
  for (const pointerSize of [4, 8] as const) {
    const sizes = new CSizes(types, new WorkLimit(1 << 26, types.endTypeId), pointerSize);
    const differing: number[] = [];
    let sized = 0;
    for (const { id, kind } of spec) {
      if (SIZELESS.has(kind)) continue;
      const size = orNone(() => sizeof(spec, id, { pointerSize }), 0);
      const alignment = orNone(() => alignof(spec, id, { pointerSize }), 1);
      if (size !== 0) sized += 1;
      if (sizes.sizeof(id) !== size || sizes.alignof(id) !== alignment) differing.push(id);
    }
    expect(differing).toEqual([]);
    expect(sized).toBeGreaterThan(20_000);
  }
});
