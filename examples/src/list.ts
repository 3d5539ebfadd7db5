// Lists the BTF objects in the kernel.
//
//     node examples/dist/list.js [ADDRESS]
import { BtfClient, defaultAddress } from '@btfd/client';

await using client = new BtfClient(process.argv[2] ?? defaultAddress());
const { kernelRelease, machine } = await client.serverInfo();
console.log(`Linux ${kernelRelease} (${machine})`);
console.table((await client.listObjects()).map(({ id, name, origin, size }) => ({ id, name, origin, size })));
