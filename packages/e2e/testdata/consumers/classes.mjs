// Prints whether the classes that @btfd/client returns and throws are those of @btfd/btf, imported or required.
import { createRequire } from 'node:module';
import { BtfFormatError, Builder, Spec } from '@btfd/btf';
import { BtfClient, BtfError } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';

const required = createRequire(import.meta.url)('@btfd/btf');
const errorOf = async (run) => run().then(
  () => null,
  (error) => error,
);

const builder = new Builder();
builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
const btf = builder.marshal();
const daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }] });
const client = new BtfClient(daemon.address);
console.log(
  JSON.stringify({
    spec: (await client.spec('vmlinux')) instanceof Spec,
    required: (await client.spec('vmlinux')) instanceof required.Spec,
    formatError:
      (await errorOf(() => FakeDaemon.start({ objects: [{ name: 'broken', btf: btf.subarray(1) }] }))) instanceof
      BtfFormatError,
    btfError: (await errorOf(() => client.spec('no-such-object'))) instanceof BtfError,
  }),
);
await client.close();
await daemon[Symbol.asyncDispose]();
