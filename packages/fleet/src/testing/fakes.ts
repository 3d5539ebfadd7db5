import { FakeDaemon, type FakeDaemonOptions } from '@btfd/client/testing';
import type { FleetNode } from '../source/node-source.js';

/** FakeNode is the node of a fake daemon. */
export interface FakeNode extends FleetNode {
  readonly name: string;
  readonly daemon: FakeDaemon;
}

/** Fakes are running fake daemons. */
export class Fakes implements AsyncDisposable {
  readonly daemons: FakeDaemon[] = [];

  /** Starts a daemon with a kernel and modules, and returns its node. */
  async start(
    name: string,
    btf: Uint8Array,
    modules: Readonly<Record<string, Uint8Array>> = {},
    options: FakeDaemonOptions = {},
  ): Promise<FakeNode> {
    const objects = [
      { name: 'vmlinux', btf },
      ...Object.entries(modules).map(([module, bytes]) => ({ name: module, btf: bytes })),
    ];
    const daemon = await FakeDaemon.start({ nodeName: name, objects, ...options });
    this.daemons.push(daemon);
    return { name, address: daemon.address, daemon };
  }

  /** Starts daemons with one kernel, whose names are numbered from 0. */
  async startMany(count: number, prefix: string, btf: Uint8Array): Promise<FakeNode[]> {
    const nodes: FakeNode[] = [];
    for (let i = 0; i < count; i++) nodes.push(await this.start(`${prefix}${i}`, btf));
    return nodes;
  }

  /** The number of calls of a method that all daemons received. */
  calls(method: 'resolveMembers' | 'spec' | 'getServerInfo' | 'iterateHandles'): number {
    return this.daemons.reduce((sum, daemon) => sum + daemon.callsOf(method).length, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.daemons.map(async (daemon) => daemon.stop()));
  }
}
