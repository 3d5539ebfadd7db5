import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { ErrorReason, TypeListSchema } from '@btfd/api';
import { Builder, kernelFeaturesOf, parseHeader, Spec } from '@btfd/btf';
import { KernelFeatures } from '../../kernel/features.js';
import { ServiceError } from '../../error/service-error.js';
import { allSteps } from '../../testing/collect.js';
import { FakeKernel, OldKernel } from '../../testing/fake-kernel.js';
import type { LoadSource } from '../../pool/job.js';
import { btfToLoad } from './btf-to-load.js';

/** BTF with everything that Linux 5.4 does not know. */
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

async function load(source: LoadSource, kernel: FakeKernel | null): Promise<Uint8Array> {
  const adapt = kernel === null ? null : await new KernelFeatures(kernel).forBtf();
  return allSteps(btfToLoad(source, adapt)).value;
}

const raw = (value: Uint8Array) => ({ case: 'rawBtf', value }) as const;

function encodedTypes(types: MessageInitShape<typeof TypeListSchema>['types']): LoadSource {
  const message = create(TypeListSchema, { ...(types && { types }) });
  return { case: 'types', value: toBinary(TypeListSchema, message) };
}

describe('btfToLoad', () => {
  test('returns raw BTF as it is, unless it must be adapted and the kernel lacks a feature', async () => {
    const bytes = modernBtf();
    expect(await load(raw(bytes), null)).toBe(bytes);
    expect(await load(raw(bytes), new FakeKernel())).toBe(bytes);
  });

  test('adapts to an older kernel, which accepts the result and refuses the original', async () => {
    const kernel = new OldKernel(kernelFeaturesOf(5, 4));
    const bytes = await load(raw(modernBtf()), kernel);
    await expect(kernel.load(modernBtf(), 0)).rejects.toMatchObject({ code: 'EINVAL' });
    (await kernel.load(bytes, 0)).close();
    const spec = Spec.parse(bytes);
    expect(spec.typesByName('f')).toMatchObject([{ kind: 'FUNC', linkage: 0 }]);
    expect(spec.typesByName('e')).toMatchObject([{ kind: 'UNION', size: 8 }]);
    expect(spec.typeById(1)).toMatchObject({ kind: 'INT', name: 'int' });
  });

  test('leaves out a layout section if the kernel does not know it', async () => {
    const builder = new Builder();
    builder.add({ kind: 'FLOAT', name: 'f', size: 4 });
    const bytes = builder.marshal({ layout: true });
    const adapted = await load(raw(bytes), new OldKernel(kernelFeaturesOf(6, 18)));
    expect([parseHeader(bytes).length, parseHeader(adapted).length]).toEqual([32, 24]);
    expect(adapted).toEqual(builder.marshal());
  });

  test('returns BTF that it cannot read as it is, because the kernel may know more, or has a log', async () => {
    const kernel = new OldKernel(kernelFeaturesOf(5, 4));
    const reference = new Builder();
    reference.add({ kind: 'FLOAT', name: 'f', size: 4 });
    reference.add({ kind: 'PTR', typeId: 1 });
    const dangling = reference.marshal();
    dangling.set([9], 24 + 12 + 8);
    for (const bytes of [new Uint8Array(24), dangling]) expect(await load(raw(bytes), kernel)).toBe(bytes);
  });

  test('adapts types like raw BTF', async () => {
    const types = encodedTypes([{ id: 1, name: 'e', detail: { case: 'enum64', value: { size: 8 } } }]);
    const bytes = await load(types, new OldKernel(kernelFeaturesOf(5, 4)));
    expect(Spec.parse(bytes).typeById(1).kind).toBe('UNION');
  });

  test('builds types in steps', () => {
    const fwd = (index: number) =>
      ({ id: index + 1, name: 'f', detail: { case: 'fwd', value: {} } }) as const;
    const types = encodedTypes(Array.from({ length: 2_500 }, (_, index) => fwd(index)));
    expect(allSteps(btfToLoad(types, null)).turns).toBe(2);
  });

  test.each<[string, LoadSource, ErrorReason]>([
    [
      'from bytes that are not a list of types is an invalid request',
      { case: 'types', value: new Uint8Array([0xff]) },
      ErrorReason.INVALID_REQUEST,
    ],
    ['from no types is an invalid request', encodedTypes([]), ErrorReason.INVALID_REQUEST],
  ])('BTF %s', async (_, source, reason) => {
    const error: unknown = await load(source, new OldKernel(kernelFeaturesOf(5, 4))).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ reason });
  });
});
