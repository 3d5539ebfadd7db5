import { expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { Kind } from '../types.js';
import { fitsBase } from './fits-base.js';

function structs(names: readonly string[], stringStart = 0): BtfAssembler {
  const assembler = new BtfAssembler('little', stringStart);
  for (const name of names) assembler.type(Kind.STRUCT, name);
  return assembler;
}

const baseOf = (...names: readonly string[]): Spec => Spec.parse(structs(names).bytes());

const { stringEnd } = structs(['one', 'two']);
const base = baseOf('one', 'two');
const bytes = structs(['alpha', 'beta', 'gamma', 'delta'], stringEnd).bytes();

test('split BTF fits its base, and BTF without a base fits', () => {
  expect(fitsBase(Spec.parse(bytes, { base }))).toBe(true);
  expect(fitsBase(base)).toBe(true);
});

test('split BTF without names fits any base', () => {
  const anonymous = structs([''], stringEnd).bytes();
  expect(fitsBase(Spec.parse(anonymous, { base: baseOf('other') }))).toBe(true);
});

test.each([
  ['shorter', ['on', 'two']],
  ['much shorter', ['on']],
  ['longer', ['one', 'twofold']],
  ['much longer', ['one', 'two', 'a_name_that_is_longer_than_all_of_those_that_continue_it']],
])('it does not fit one whose strings are %s', (_, names) => {
  expect(fitsBase(Spec.parse(bytes, { base: baseOf(...names) }))).toBe(false);
});
