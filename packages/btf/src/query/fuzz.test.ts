import { expect, test } from '@jest/globals';
import { seeded } from 'test-tools/random';
import { BtfReadError } from '../format-error.js';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { mutate } from '../testing/mutate.js';
import { alignof } from './alignof.js';
import { datasecVars } from './datasec-vars.js';
import { declTagsOf } from './decl-tags.js';
import { typesByEssentialName } from './flavours.js';
import { postorder } from './postorder.js';
import { resolve } from './resolve.js';
import { resolveMemberOf } from './resolve-member.js';
import { sizeof } from './sizeof.js';

const MUTANTS = 600;

test('every query on mutants of BTF of all kinds ends in a value or a BtfFormatError', () => {
  const random = seeded(0xa5);
  const bytes = assembleAllKinds('little').bytes();
  const outcomes = new Map<string, number>();
  const attempt = (what: string, run: () => unknown): void => {
    let outcome = 'VALUE';
    try {
      run();
    } catch (error) {
      if (!(error instanceof BtfReadError)) throw error;
      outcome = error.code;
    }
    const key = `${what} ${outcome}`;
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  };
  for (let i = 0; i < MUTANTS; i++) {
    const mutant = mutate(bytes, random);
    let spec: Spec;
    try {
      spec = Spec.parse(mutant);
    } catch {
      continue;
    }
    attempt('names', () => typesByEssentialName(spec, 'plain'));
    for (let id = 0; id < spec.endTypeId; id++) {
      attempt('resolve', () => resolve(spec, id));
      attempt('sizeof', () => sizeof(spec, id));
      attempt('alignof', () => alignof(spec, id));
      attempt('postorder', () => [...postorder(spec, [id])]);
      attempt('tags', () => declTagsOf(spec, id));
      attempt('vars', () => datasecVars(spec, id));
      attempt('member', () => resolveMemberOf(spec, id, [{ member: 'b' }, { index: 0 }]));
    }
  }
  for (const what of ['names', 'resolve', 'sizeof', 'alignof', 'postorder', 'tags', 'vars', 'member']) {
    expect([what, (outcomes.get(`${what} MALFORMED`) ?? 0) > 5]).toEqual([what, true]);
    expect([what, (outcomes.get(`${what} VALUE`) ?? 0) > 50]).toEqual([what, true]);
  }
});
