import { expect, test } from '@jest/globals';
import { Builder } from '../build/builder.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { readErrorOf } from '../testing/read-error-of.js';
import { Kind, type TypeId } from '../types.js';
import { functionsReturning, functionsTaking } from './function-uses.js';

const builder = new Builder();
const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
const task = builder.add({ kind: 'STRUCT', name: 'task', size: 0, members: [] });
const alias = builder.add({ kind: 'TYPEDEF', name: 'task_t', typeId: task });
const constant = builder.add({ kind: 'CONST', name: '', typeId: alias });
const pointer = builder.add({ kind: 'PTR', name: '', typeId: constant });
const twice = builder.add({ kind: 'PTR', name: '', typeId: pointer });

function addFunction(
  name: string,
  returnTypeId: TypeId,
  ...params: readonly (readonly [string, TypeId])[]
): void {
  const typeId = builder.add({
    kind: 'FUNC_PROTO',
    name: '',
    returnTypeId,
    params: params.map(([param, paramTypeId]) => ({ name: param, typeId: paramTypeId })),
  });
  builder.add({ kind: 'FUNC', name, typeId, linkage: 0 });
}

addFunction('neither', int, ['n', int]);
addFunction('takes', int, ['n', int], ['t', pointer], ['all', twice]);
addFunction('returns', pointer);
addFunction('value', task, ['t', task]);
const spec = builder.toSpec();

test('the functions that take a type are found with the parameter, through pointers', () => {
  const found = [...functionsTaking(spec, [task])];
  expect(found.map(({ name, index, parameter, pointers }) => [name, index, parameter, pointers])).toEqual([
    ['takes', 1, 't', 1],
    ['takes', 2, 'all', 2],
    ['value', 0, 't', 0],
  ]);
  expect(found[0]).toMatchObject({ typeId: spec.idsByName('takes')[0], usedTypeId: pointer });
  expect([...functionsTaking(spec, [alias])].map(({ name }) => name)).toEqual(['takes', 'takes']);
});

test('the functions that return a type are found', () => {
  const found = [...functionsReturning(spec, [task])];
  expect(found.map(({ name, index, parameter, pointers }) => [name, index, parameter, pointers])).toEqual([
    ['returns', -1, '', 1],
    ['value', -1, '', 0],
  ]);
});

test('functions of invalid prototypes are left out, and an unknown id is an error', () => {
  const odd = new BtfAssembler('little')
    .type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [32] })
    .type(Kind.FUNC, 'f', { sizeOrTypeId: 99 })
    .type(Kind.FUNC, 'g', { sizeOrTypeId: 1 })
    .type(Kind.FUNC_PROTO, '', { sizeOrTypeId: 1, vlen: 1, data: ['x', 77] })
    .type(Kind.FUNC, 'h', { sizeOrTypeId: 4 });
  const broken = Spec.parse(odd.bytes());
  expect([...functionsTaking(broken, [1])]).toEqual([]);
  expect([...functionsReturning(broken, [1])].map(({ name }) => name)).toEqual(['h']);
  expect(readErrorOf(() => [...functionsTaking(broken, [42])])).toMatchObject({ name: 'BtfLookupError' });
});
