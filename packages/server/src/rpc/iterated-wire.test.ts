import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { HandleInfoSchema, IterateHandlesResponseSchema, Origin } from '@btfd/api';
import { encodeIterated } from './iterated-wire.js';

type Response = Exclude<
  MessageInitShape<typeof IterateHandlesResponseSchema>,
  { readonly $typeName: string }
>;

function byProtobuf(response: Response): Buffer {
  return Buffer.from(toBinary(IterateHandlesResponseSchema, create(IterateHandlesResponseSchema, response)));
}

const KERNEL = { id: 1, name: 'vmlinux', origin: Origin.VMLINUX, isKernel: true, size: 5_519_912 };

describe('A response of IterateHandles', () => {
  test.each<[string, Response]>([
    ['vmlinux', { info: KERNEL }],
    ['a user’s object', { info: { id: 0x7fff_ffff, name: '', origin: Origin.USER, size: 41 } }],
    ['a file, which has no id', { info: { ...KERNEL, id: 0 } }],
    ['nothing', { info: {} }],
    ['the largest numbers', { info: { id: 0xffff_ffff, size: 0xffff_ffff, removed: true } }],
    ['a long name', { info: { name: 'x'.repeat(300) } }],
    ['a name that is not ASCII', { info: { name: 'café 模块 \u{1f600} \ud800' } }],
  ])('has the bytes of protobuf-es: %s', (_, response) => {
    expect(Buffer.from(encodeIterated(response)?.wire ?? [])).toEqual(byProtobuf(response));
  });

  test.each<[string, Response]>([
    ['no info', {}],
    ['a handle', { info: KERNEL, handle: { token: 't' } }],
    ['a digest', { info: { ...KERNEL, digest: new Uint8Array(32) } }],
    ['users', { info: { ...KERNEL, users: {} } }],
  ])('is left to protobuf-es with %s', (_, response) => {
    expect(encodeIterated(response)).toBeNull();
  });

  test('has no other fields', () => {
    const fields = ['id', 'name', 'origin', 'isKernel', 'size', 'removed', 'digest', 'users'];
    expect(Object.keys(HandleInfoSchema.field)).toEqual(fields);
    expect(Object.keys(IterateHandlesResponseSchema.field)).toEqual(['info', 'handle']);
  });
});
