import { describe, expect, test } from '@jest/globals';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import type { Type } from '../types.js';
import { printRaw, toBpftoolJson } from './bpftool.js';

const spec = Spec.parse(assembleAllKinds('little').bytes());

describe('printRaw and toBpftoolJson', () => {
  test('print UNKNOWN for void and unknown kinds, as bpftool does', () => {
    const unknown: Type = {
      kind: 'UNKNOWN',
      id: 7,
      name: 'new',
      kindNumber: 30,
      kindFlag: false,
      vlen: 0,
      sizeOrTypeId: 0,
      data: new Uint8Array(),
    };
    expect(printRaw(spec.typeById(0))).toBe("[0] UNKNOWN '(anon)'");
    expect(printRaw(unknown)).toBe("[7] UNKNOWN 'new'");
    expect(toBpftoolJson(unknown)).toBe('{"id":7,"kind":"UNKNOWN","name":"new"}');
  });

  test('print the names of variables in a data section if they can be looked up', () => {
    const section = spec.typeById(22);
    expect(printRaw(section)).toBe("[22] DATASEC '.bss' size=64 vlen=1\n\ttype_id=21 offset=60 size=4");
    expect(printRaw(section, spec)).toMatch(/ size=4 \(VAR 'counter'\)$/);
    if (section.kind !== 'DATASEC') throw new Error('no data section');
    const dangling = { ...section, vars: [{ typeId: 99, offset: 0, size: 4 }] };
    expect(printRaw(dangling, spec)).toMatch(/ size=4$/);
  });

  test('keep 64-bit values exact', () => {
    expect(toBpftoolJson(spec.typeById(28))).toContain('{"name":"TOP","val":18446744073709551614}');
    expect(printRaw(spec.typeById(29))).toContain("'LEAST' val=-9223372036854775808LL");
  });
});
