// Checks whether a BPF object, or those in an executable, fit the kernels of nodes. Exits with 1 if one does not.
//
//     node examples/dist/check-object.js FILE [ADDRESS...]
import { readFileSync } from 'node:fs';
import { findBpfObjects } from '@btfd/btf';
import { BtfClient, defaultAddress } from '@btfd/client';

const [file = '', ...addresses] = process.argv.slice(2);
const objects = findBpfObjects(readFileSync(file));

for (const address of addresses.length > 0 ? addresses : [defaultAddress()]) {
  await using client = new BtfClient(address);
  for (const { bytes } of objects) {
    const { verdict, kernel, programs } = await client.checkObject(bytes);
    console.log(`${verdict} on ${kernel.name}`);
    for (const { name, relocations, needs } of programs) {
      for (const { relocation, verdict: own, reason } of relocations) {
        console.log(`  ${own} in ${name}: ${relocation.local?.text ?? 'a relocation'}: ${reason}`);
      }
      for (const need of needs) console.log(`  ${need.verdict} in ${name}: ${need.name}: ${need.reason}`);
    }
    if (verdict === 'AT_RISK' || verdict === 'FAILS') process.exitCode = 1;
  }
}
