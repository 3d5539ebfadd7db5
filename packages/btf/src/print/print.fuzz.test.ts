import { describe, expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfReadError } from '../format-error.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { mutate } from '../testing/mutate.js';
import { printRaw, toBpftoolJson } from './bpftool.js';
import { formatLayout } from './layout-text.js';
import { layoutOf } from './layout.js';
import { printC } from './print-c.js';
import { declarationOf, formatTypeName } from './type-name.js';

const MAX_BYTES = 64 * 1024;

/** Every way to print a type. */
const WAYS: readonly ((spec: Spec, id: number) => string)[] = [
  (spec, id) => printC(spec, { roots: [id], maxBytes: MAX_BYTES }),
  formatTypeName,
  declarationOf,
  (spec, id) => formatLayout(layoutOf(spec, id, { maxRows: 1000 })),
  (spec, id) => printRaw(spec.typeById(id), spec),
  (spec, id) => toBpftoolJson(spec.typeById(id)),
];

describe('printing mutants of BTF with every kind', () => {
  test.each(['little', 'big'] as const)('of %s-endian BTF ends in text or a BtfReadError', (order) => {
    const bytes = assembleAllKinds(order).bytes();
    const random = seeded(0xc0de);
    const outcomes = new Map<string, number>();
    const count = (outcome: string): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    for (let i = 0; i < 300; i++) {
      const spec = attempt(() => Spec.parse(mutate(bytes, random)));
      if (spec instanceof BtfReadError) continue;
      count(outcomeOf(attempt(() => printC(spec, { maxBytes: MAX_BYTES }))));
      for (const id of spec.typeIds()) {
        for (const print of WAYS) count(outcomeOf(attempt(() => print(spec, id))));
      }
    }
    expect(outcomes.get('TEXT')).toBeGreaterThan(20_000);
    for (const code of ['MALFORMED', 'NOT_FOUND', 'INVALID_ARGUMENT']) {
      expect([code, (outcomes.get(code) ?? 0) > 5]).toEqual([code, true]);
    }
  });
});

function attempt<T>(run: () => T): T | BtfReadError {
  try {
    return run();
  } catch (error) {
    if (error instanceof BtfReadError) return error;
    throw error;
  }
}

function outcomeOf(result: string | BtfReadError): string {
  return typeof result === 'string' ? 'TEXT' : result.code;
}
