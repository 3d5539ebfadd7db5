import { Spec, typeByName } from '@btfd/btf';
import { BtfClient } from '@btfd/client';

await using client = new BtfClient(process.argv[2]);
const [first] = await client.listObjects();
const spec = await client.spec('vmlinux');
const { size } = typeByName(spec, 'list_head', 'STRUCT');
console.log(JSON.stringify({ first: first.name, size, isSpec: spec instanceof Spec }));
