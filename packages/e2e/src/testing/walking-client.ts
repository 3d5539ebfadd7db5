// A program that walks through all objects and stops in the middle, holding one, to be killed.
import { BtfClient } from '@btfd/client';

const client = new BtfClient(process.argv[2] ?? '');
let count = 0;
for await (const handle of client.iterateHandles()) {
  count += 1;
  if (count < 500) continue;
  console.log(handle.info.id);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}
