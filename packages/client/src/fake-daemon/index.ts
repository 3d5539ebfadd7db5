/**
 * A daemon for tests of programs that use `@btfd/client`. It runs in the same process and needs neither root nor Linux.
 *
 * ```ts
 * import { BtfClient } from '@btfd/client';
 * import { FakeDaemon } from '@btfd/client/testing';
 *
 * await using daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }] });
 * await using client = new BtfClient(daemon.address);
 * const spec = await client.spec('vmlinux');
 * ```
 *
 * @module testing
 */
export type { FakeCall, FakeFailure, MethodName, RequestOf } from './fake-calls.js';
export { FakeDaemon, type FakeDaemonOptions } from './fake-daemon.js';
export type { FakeHandle } from './fake-handles.js';
export type { FakeObject, FakeObjectInit, FakeUsers } from './fake-object.js';
