import type { FakeObject } from './fake-daemon.js';
import { tinyBtf } from './tiny-btf.js';

/** userObjects are so many BTF objects of users, with ids from 3. */
export function userObjects(count: number): FakeObject[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 3, name: '', bytes: tinyBtf('u32') }));
}
