// Uses the packages as a CommonJS service does. Node can require ES modules since 20.19.
const { BtfService } = require('@btfd/api');
const { toServiceDefinition } = require('@btfd/api/grpc-js');
const { Builder, typeByName } = require('@btfd/btf');
const { BtfClient } = require('@btfd/client');

async function run() {
  const client = new BtfClient(process.argv[2]);
  const objects = await client.listObjects();
  const spec = await client.spec('vmlinux');
  const builder = new Builder();
  builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const loaded = await client.loadHandle(builder.marshal());
  if (toServiceDefinition(BtfService).spec.path !== '/btf.v1.BtfService/Spec') throw new Error('no definition');
  console.log(
    JSON.stringify({
      service: BtfService.typeName,
      first: objects[0].name,
      listHead: typeByName(spec, 'list_head', 'STRUCT').size,
      loaded: loaded.info.origin,
    }),
  );
  await client.close();
}

void run();
