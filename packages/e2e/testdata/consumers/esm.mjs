// Uses the installed packages as a Node service with ES modules does.
import assert from 'node:assert/strict';
import { BtfService } from '@btfd/api';
import { Builder, Spec, typeByName } from '@btfd/btf';
import { BtfClient } from '@btfd/client';

const client = new BtfClient(process.argv[2]);
const objects = await client.listObjects();
const vmlinux = await client.findHandle((info) => info.isVmlinux);
const spec = await vmlinux.spec();
assert.ok(spec instanceof Spec);
const builder = new Builder();
builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
const loaded = await client.loadHandle(builder);
console.log(
  JSON.stringify({
    service: BtfService.typeName,
    first: objects[0].name,
    listHead: typeByName(spec, 'list_head', 'STRUCT').size,
    loaded: loaded.info.origin,
  }),
);
await client.close();
