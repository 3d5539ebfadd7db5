// Loads a small BTF into the kernel, reads it back, and closes it.
//
//     node examples/dist/load.js [ADDRESS]
import { BtfClient, defaultAddress } from '@btfd/client';
import { layoutOf } from './layout-of.js';
import { pointBtf } from './point-btf.js';

await using client = new BtfClient(process.argv[2] ?? defaultAddress());

const { handle, rejection } = await client.tryLoadHandle(pointBtf());
if (rejection !== null) {
  console.error(`The kernel rejected the BTF (${rejection.errnoName}):\n${rejection.log.text}`);
  process.exitCode = 1;
} else {
  const { id, origin, size } = handle.info;
  console.log(`loaded as BTF id ${id}: ${size} bytes, origin ${origin}`);
  for (const line of layoutOf(await handle.spec(), 'point')) console.log(line);
  await handle.close();
  console.log('closed');
}
