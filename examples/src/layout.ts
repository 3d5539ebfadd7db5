// Finds vmlinux and prints the layout of one of its structs, task_struct unless told otherwise.
//
//     node examples/dist/layout.js [ADDRESS [STRUCT]]
import { BtfClient, defaultAddress } from '@btfd/client';
import { layoutOf } from './layout-of.js';

const [address = defaultAddress(), name = 'task_struct'] = process.argv.slice(2);

await using client = new BtfClient(address);
await using vmlinux = await client.findHandle((info) => info.isVmlinux);
const spec = await vmlinux.spec();
const lines = layoutOf(spec, name);
console.log(lines.length > 0 ? lines.join('\n') : `no struct ${name}`);
