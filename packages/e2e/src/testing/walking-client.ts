// A program that iterates over the objects, stops while it holds one, and waits until it is killed.
import { BtfClient } from '@btfd/client';

const client = new BtfClient(process.argv[2] ?? '');
let count = 0;
for await (const handle of client.iterateHandles()) {
  count += 1;
  if (count < 500) continue;
  console.log(handle.info.id);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
}
