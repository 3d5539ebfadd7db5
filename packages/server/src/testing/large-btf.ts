import { Builder } from '@btfd/btf';

/** largeBtf is BTF of some megabytes, so that nothing on the way takes all of it. */
export function largeBtf(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  for (let index = 0; index < 200_000; index++) {
    builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 0, bits: 32, bitOffset: 0 });
  }
  return builder.marshal();
}
