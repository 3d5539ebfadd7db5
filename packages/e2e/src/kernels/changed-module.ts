const MAGIC = Buffer.from([0x9f, 0xeb, 1, 0]);
const SIGNED = '~Module signature appended~\n';
/** The size of the kernel’s `struct module_signature`, which ends with the size of the signature. */
const SIGNATURE_BYTES = 12;

/**
 * changedModule returns a module whose BTF has the same size and one other name, without its signature: the kernel
 * accepts a module without one, but not one with a wrong one.
 *
 * @throws Error if the file has no BTF.
 */
export function changedModule(elf: Uint8Array, letter: string): Buffer {
  const bytes = withoutSignature(Buffer.from(elf));
  const start = bytes.indexOf(MAGIC);
  if (start < 0) throw new Error('the module has no BTF');
  const headerLength = bytes.readUInt32LE(start + 4);
  const strings = start + headerLength + bytes.readUInt32LE(start + 16);
  const size = bytes.readUInt32LE(start + 20);
  // The first letter of the last name.
  const last = bytes.lastIndexOf(0, strings + size - 2) + 1;
  bytes.write(letter, last, 'latin1');
  return bytes;
}

function withoutSignature(bytes: Buffer): Buffer {
  if (bytes.subarray(-SIGNED.length).toString('latin1') !== SIGNED) return bytes;
  const end = bytes.length - SIGNED.length;
  return bytes.subarray(0, end - SIGNATURE_BYTES - bytes.readUInt32BE(end - 4));
}
