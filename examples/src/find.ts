// Finds the kernel's own BTF, vmlinux, and holds it open while it is read. Needs a privileged daemon.
//
//     node examples/dist/find.js [ADDRESS]
import { BtfClient, defaultAddress } from '@btfd/client';

await using client = new BtfClient(process.argv[2] ?? defaultAddress());
await using vmlinux = await client.findHandle((info) => info.isVmlinux);
const { id, size } = vmlinux.info;
const { typeCount } = await vmlinux.spec();
console.log(`vmlinux has BTF id ${id}, ${size} bytes and ${typeCount} types`);
