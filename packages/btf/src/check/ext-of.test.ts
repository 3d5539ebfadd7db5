import { expect, test } from '@jest/globals';
import { parseBpfObject } from '../object/bpf-object.js';
import { instructionBytes, EXIT, GLOBAL_FUNCTION } from '../testing/assemble-ext.js';
import { assembleObject } from '../testing/assemble-object.js';
import { integers } from '../testing/core-structs.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { smallKernel } from '../testing/small-kernel.js';
import { checkObject } from './check-object.js';

const KERNEL = { kernel: smallKernel() };

/** An object with a program, a `.BTF.ext` of some bytes, and perhaps maps. */
function objectWith(ext: Uint8Array, hasMaps: boolean): ReturnType<typeof parseBpfObject> {
  const code = instructionBytes('little', [EXIT]);
  const btf = integers(new BtfAssembler('little')).bytes();
  const maps = hasMaps ? [{ name: '.maps', bytes: new Uint8Array(32), flags: 3 }] : [];
  const file = assembleObject('little', btf, {
    sections: [{ name: 'socket', bytes: code, flags: 6 }, { name: '.BTF.ext', bytes: ext }, ...maps],
    symbols: [{ name: 'p', section: 'socket', value: 0, size: code.length, info: GLOBAL_FUNCTION }],
  });
  return parseBpfObject(file);
}

const BROKEN = new Uint8Array(40);

test('libbpf ignores a .BTF.ext that is invalid', () => {
  const { verdict, notJudged, programs } = checkObject(objectWith(BROKEN, false), KERNEL);
  expect([verdict, programs.length]).toEqual(['FITS', 1]);
  expect(notJudged).toEqual([
    expect.stringMatching(/^the relocations of \.BTF\.ext, which libbpf ignores because it is invalid: /),
  ]);
});

test('libbpf refuses it if the object has maps, and cilium/ebpf always', () => {
  expect(() => checkObject(objectWith(BROKEN, true), KERNEL)).toThrow('magic');
  expect(() => checkObject(objectWith(BROKEN, false), KERNEL, { loader: 'cilium' })).toThrow('magic');
});
