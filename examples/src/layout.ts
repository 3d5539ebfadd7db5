// Prints the layout of a struct of the kernel, by default task_struct.
//
//     node examples/dist/layout.js [ADDRESS [STRUCT]]
import { BtfClient, defaultAddress } from '@btfd/client';
import { layoutOf } from './layout-of.js';

const [address = defaultAddress(), name = 'task_struct'] = process.argv.slice(2);

await using client = new BtfClient(address);
const lines = layoutOf(await client.spec('vmlinux'), name);
console.log(lines.length > 0 ? lines.join('\n') : `no struct ${name}`);
