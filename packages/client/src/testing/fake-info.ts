import { createHash } from 'node:crypto';
import * as api from '@btfd/api';
import type { FakeObject } from './fake-daemon.js';

/** infoOf is what the fake daemon tells of an object. */
export function infoOf({ id, name, bytes, users = {} }: FakeObject, details: api.InfoDetail[] = []) {
  const isKernel = name !== '';
  const kernelOrigin = name === 'vmlinux' ? api.Origin.VMLINUX : api.Origin.MODULE;
  return {
    id,
    name,
    isKernel,
    origin: isKernel ? kernelOrigin : api.Origin.USER,
    size: bytes.length,
    ...(details.includes(api.InfoDetail.DIGEST) && { digest: sha256(bytes) }),
    ...(details.includes(api.InfoDetail.USERS) && { users }),
  };
}

/** sha256 is the digest of bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
