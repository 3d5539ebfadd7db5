import { expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfReadError } from '../format-error.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { mutate } from '../testing/mutate.js';
import { formatValue } from './format-value.js';
import { readValue } from './read-value.js';

const MUTANTS = 60;

test.each(['little', 'big'] as const)(
  'values of mutants of %s-endian BTF end in a value or a BtfFormatError',
  (order) => {
    const btf = assembleAllKinds(order).bytes();
    const random = seeded(0xda7a);
    const outcomes = new Map<string, number>();
    for (let i = 0; i < MUTANTS; i++) {
      const spec = specOf(mutate(btf, random));
      if (spec === null) continue;
      const bytes = Uint8Array.from({ length: random(40) }, () => random(4) * random(80));
      for (const id of spec.typeIds()) {
        const [read, text] = [
          outcomeOf(() => readValue(spec, id, bytes)),
          outcomeOf(() => formatValue(spec, id, bytes)),
        ];
        outcomes.set(read, (outcomes.get(read) ?? 0) + 1);
        // Only the names of types may make a difference.
        if (read !== 'VALUE') expect({ id, text }).not.toEqual({ id, text: 'VALUE' });
      }
    }
    expect(outcomes.get('VALUE')).toBeGreaterThan(500);
    for (const code of ['MALFORMED', 'INVALID_ARGUMENT']) expect(outcomes.get(code)).toBeGreaterThan(0);
  },
);

function specOf(bytes: Uint8Array): Spec | null {
  try {
    return Spec.parse(bytes);
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

function outcomeOf(run: () => { readonly missingBytes: number }): string {
  try {
    expect(run().missingBytes).toBeGreaterThanOrEqual(0);
    return 'VALUE';
  } catch (error) {
    if (error instanceof BtfReadError) return error.code;
    throw error;
  }
}
