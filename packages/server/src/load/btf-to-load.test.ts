import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason, LoadHandleRequestSchema } from '@btfd/api';
import { Builder, Spec } from '@btfd/btf';
import { KernelFeatures } from '../kernel/features.js';
import { ServiceError } from '../error/service-error.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { isKnownTo54, OldKernel } from '../testing/old-kernel.js';
import { btfToLoad } from './btf-to-load.js';

/** BTF with all that Linux 5.4 doesn't know. */
function modernBtf(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const proto = builder.add({ kind: 'FUNC_PROTO', returnTypeId: int, params: [] });
  const func = builder.add({ kind: 'FUNC', name: 'f', typeId: proto, linkage: 1 });
  builder.add({ kind: 'DECL_TAG', name: 'tag', typeId: func, componentIdx: -1, attribute: false });
  const tagged = builder.add({ kind: 'TYPE_TAG', name: 'user', typeId: int, attribute: false });
  builder.add({ kind: 'PTR', typeId: tagged });
  builder.add({
    kind: 'ENUM64',
    name: 'e',
    size: 8,
    signed: false,
    values: [{ name: 'A', value: 1n << 40n }],
  });
  builder.add({ kind: 'ENUM', name: 's', size: 4, signed: true, values: [{ name: 'B', value: -1 }] });
  return builder.marshal();
}

const request = (rawBtf: Uint8Array, adaptToKernel: boolean) =>
  create(LoadHandleRequestSchema, { source: { case: 'rawBtf', value: rawBtf }, adaptToKernel });

describe('btfToLoad', () => {
  test('gives raw BTF as it is, unless it is to be adapted and the kernel lacks something', async () => {
    const bytes = modernBtf();
    expect(await btfToLoad(request(bytes, false), new KernelFeatures(new OldKernel(isKnownTo54)))).toBe(
      bytes,
    );
    expect(await btfToLoad(request(bytes, true), new KernelFeatures(new FakeKernel()))).toBe(bytes);
  });

  test('adapts to an older kernel, which takes the result and refuses the original', async () => {
    const kernel = new OldKernel(isKnownTo54);
    const bytes = await btfToLoad(request(modernBtf(), true), new KernelFeatures(kernel));
    await expect(kernel.load(modernBtf(), 0)).rejects.toMatchObject({ code: 'EINVAL' });
    (await kernel.load(bytes, 0)).close();
    const spec = Spec.parse(bytes);
    expect(spec.typesByName('f')).toMatchObject([{ kind: 'FUNC', linkage: 0 }]);
    expect(spec.typesByName('e')).toMatchObject([{ kind: 'UNION', size: 8 }]);
    expect(spec.typeById(1)).toMatchObject({ kind: 'INT', name: 'int' });
  });

  test('adapts types as it does bytes', async () => {
    const kernel = new OldKernel(isKnownTo54);
    const value = { types: [{ id: 1, name: 'e', detail: { case: 'enum64', value: { size: 8 } } as const }] };
    const types = create(LoadHandleRequestSchema, { source: { case: 'types', value }, adaptToKernel: true });
    const bytes = await btfToLoad(types, new KernelFeatures(kernel));
    expect(Spec.parse(bytes).typeById(1).kind).toBe('UNION');
  });

  test('BTF that cannot be read cannot be adapted', async () => {
    const adapted = btfToLoad(
      request(new Uint8Array(24), true),
      new KernelFeatures(new OldKernel(isKnownTo54)),
    );
    const error: unknown = await adapted.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ reason: ErrorReason.BTF_UNBUILDABLE });
  });
});
