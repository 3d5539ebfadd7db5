import { expect, test } from '@jest/globals';
import { Kind, Spec } from '@btfd/btf';
import { allSteps } from '../testing/collect.js';
import { BtfWriter } from '../testing/btf-bytes.js';
import { WorkBudget } from '../base/work-budget.js';
import { closureOf } from './closure.js';

test('A closure has each referenced type once, in the order of ids', () => {
  const types = new BtfWriter()
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] }) // 1
    .type(Kind.PTR, '', { sizeOrTypeId: 4 }) // 2
    .type(Kind.FWD, 'unrelated') // 3
    .type(Kind.STRUCT, 's', { vlen: 2, sizeOrTypeId: 16, data: ['a', 2, 0, 'b', 1, 64] }); // 4
  const spec = Spec.parse(types.bytes());
  expect([...allSteps(closureOf(spec, [2], new WorkBudget())).value]).toEqual([1, 2, 4]);
  expect([...allSteps(closureOf(spec, [3, 0], new WorkBudget())).value]).toEqual([3]);
});

test('A long closure lets other jobs run', () => {
  const many = new BtfWriter().type(Kind.PTR, '');
  for (let id = 1; id < 80_000; id++) many.type(Kind.PTR, '', { sizeOrTypeId: id });
  const { value, turns } = allSteps(closureOf(Spec.parse(many.bytes()), [80_000], new WorkBudget()));
  expect([value.length, turns]).toEqual([80_000, 2]);
});
