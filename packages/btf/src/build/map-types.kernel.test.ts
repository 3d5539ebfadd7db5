import { constants } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { sizeof } from '../query/sizeof.js';
import { typeByName } from '../query/names.js';
import { Spec } from '../spec.js';
import { readSpec } from '../testing/corpus.js';
import { VMLINUX } from '../testing/bpftool.js';
import { MapCreator } from '../testing/map-creator.js';
import { marshalMapKV } from './map-types.js';

needs('gcc', 'bpf', 'vmlinux').describe('the kernel takes the types of marshalMapKV for a map', () => {
  let creator: MapCreator;
  let vmlinux: Spec;

  beforeAll(() => {
    creator = new MapCreator();
    vmlinux = readSpec(VMLINUX);
  });
  afterAll(() => creator.close());

  test('with structs of vmlinux, if the sizes are theirs', () => {
    const ids = (['bpf_insn', 'flock'] as const).map((name) => typeByName(vmlinux, name, 'STRUCT').id);
    const [keyId = 0, valueId = 0] = ids;
    const { bytes, keyTypeId, valueTypeId } = marshalMapKV(vmlinux, keyId, valueId);
    const key = { typeId: keyTypeId, size: sizeof(vmlinux, keyId) };
    const value = { typeId: valueTypeId, size: sizeof(vmlinux, valueId) };
    expect(key.size).not.toBe(value.size);
    expect(creator.create(bytes, key, value)).toBe(0);
    expect(creator.create(bytes, { ...key, size: value.size }, value)).toBe(constants.errno.EINVAL);
    expect(creator.create(bytes, value, key)).toBe(0);
    expect(creator.create(bytes, { ...key, typeId: 9999 }, value)).toBe(constants.errno.EINVAL);
    expect(Spec.parse(bytes).typeCount).toBeLessThan(200);
  });
});
