import type { FakeDaemon } from '../fake-daemon/index.js';
import { tinyBtf } from './tiny-btf.js';

/** addUserObjects puts so many BTF objects of users into a fake kernel. */
export function addUserObjects(daemon: FakeDaemon, count: number): void {
  for (let i = 0; i < count; i++) daemon.addObject({ btf: tinyBtf('u32') });
}
