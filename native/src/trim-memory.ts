import { addon } from './addon.js';

/**
 * trimMemory returns memory that the process has freed to the kernel, as malloc_trim(3) does. With a C library other than
 * glibc it does nothing. Needs no privilege.
 *
 * Without it, glibc keeps most of what a busy time has used, because one small block at the end of a heap keeps the whole
 * heap. It takes some milliseconds for a heap of 100 MB.
 *
 * @throws BpfUnavailableError if the addon cannot be loaded.
 */
export function trimMemory(): void {
  addon().trimMemory();
}
