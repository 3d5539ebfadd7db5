import { expect, test } from 'vitest';
import { Builder, Spec } from '@btfd/btf';
import { BtfClient, BtfError } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';

test('finds the size', async () => {
  const builder = new Builder();
  builder.add({ kind: 'INT', name: 'u32', size: 4, encoding: 0, bits: 32, bitOffset: 0 });
  const daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: builder.marshal() }] });
  const client = new BtfClient(daemon.address);
  try {
    const spec = await client.spec('vmlinux');
    expect(spec).toBeInstanceOf(Spec);
    expect([...spec.typesByName('u32')]).toMatchObject([{ kind: 'INT', size: 4 }]);
    await expect(client.spec('none')).rejects.toThrow(BtfError);
    await expect(client.spec('none')).rejects.toMatchObject({ reason: 'NAME_NOT_FOUND' });
  } finally {
    await client.close();
    await daemon[Symbol.asyncDispose]();
  }
});
