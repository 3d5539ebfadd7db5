import { Spec, typeByName } from '@btfd/btf';
import { BtfClient } from '@btfd/client';

const client = new BtfClient(process.argv[2]);
try {
  const [first] = await client.listObjects();
  const spec = await client.spec('vmlinux');
  const { size } = typeByName(spec, 'list_head', 'STRUCT');
  console.log(JSON.stringify({ first: first.name, size, isSpec: spec instanceof Spec }));
} finally {
  await client.close();
}
