import { expect, test } from '@jest/globals';
import { Kind } from '@btfd/btf';
import { BtfWriter } from '../../testing/btf-bytes.js';
import { allSteps } from '../../testing/collect.js';
import { readRaw } from '../../testing/raw-btf.js';
import { unsafeType } from './unsafe-types.js';

const judge = (writer: BtfWriter) => allSteps(unsafeType(readRaw(writer.bytes()))).value;

/** A struct and a tag on it, with ids 1 and 2. */
const tagged = () =>
  new BtfWriter()
    .type(Kind.STRUCT, 's', { sizeOrTypeId: 4 })
    .type(Kind.DECL_TAG, 'tag', { sizeOrTypeId: 1, data: [-1] });

test('a prototype that returns or takes a declaration tag is unsafe', () => {
  const returning = tagged().type(Kind.FUNC_PROTO, '', { sizeOrTypeId: 2 });
  const taking = tagged().type(Kind.FUNC_PROTO, '', { vlen: 2, data: ['a', 1, 'b', 2] });
  for (const writer of [returning, taking]) {
    expect(judge(writer)).toMatchObject({ typeId: 3, remedy: 'refer to a type that has a size' });
  }
});

test('a section without a name is unsafe', () => {
  expect(judge(tagged().type(Kind.DATASEC, ''))).toMatchObject({ typeId: 3, remedy: 'give it a name' });
});

test('other prototypes and sections are safe', () => {
  const writer = tagged()
    .type(Kind.FUNC_PROTO, '', { sizeOrTypeId: 1, vlen: 3, data: ['a', 1, '', 0, 'b', 0xffffff] })
    .type(Kind.DATASEC, '.data');
  expect(judge(writer)).toBeNull();
});

test('the types are visited in steps', () => {
  const writer = tagged().type(Kind.FUNC_PROTO, '', { vlen: 200_000, data: Array<number>(400_000).fill(1) });
  expect(allSteps(unsafeType(readRaw(writer.bytes()))).turns).toBe(1);
});
