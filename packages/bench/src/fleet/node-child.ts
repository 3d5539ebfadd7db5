// Serves many fake daemons, and silent nodes, in a process of its own. Arguments: the number of each.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Builder } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import type { NodesMessage } from './fleet-messages.js';

/** A fleet of a thousand nodes runs a few builds. */
const BUILDS = 4;
/** Members of the struct of each build, so that its BTF has some kilobytes. */
const MEMBERS = 200;

const [daemons = 0, silent = 0] = process.argv.slice(2).map(Number);

function kernelOf(build: number): Uint8Array {
  const builder = new Builder();
  const typeId = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const members = Array.from({ length: MEMBERS }, (_, index) => ({
    name: `member${build}_${index}`,
    typeId,
    bitOffset: 32 * index,
    bitfieldSize: 0,
  }));
  builder.add({ kind: 'STRUCT', name: 'task_struct', size: 4 * MEMBERS, members });
  return builder.marshal();
}

/** A silent node accepts connections, and never responds. */
async function silentAddress(): Promise<string> {
  const server = createServer((socket: Socket) => void socket.resume().on('error', () => {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `127.0.0.1:${address.port}`;
}

const kernels = Array.from({ length: BUILDS }, (_, build) => kernelOf(build));
const running: { readonly daemon: FakeDaemon; readonly btf: Uint8Array }[] = [];
const cpu = process.cpuUsage();
for (let index = 0; index < daemons; index++) {
  const btf = kernels[index % BUILDS] ?? new Uint8Array();
  const daemon = await FakeDaemon.start({ nodeName: '', objects: [{ name: 'vmlinux', btf }] });
  running.push({ daemon, btf });
}
const { user, system } = process.cpuUsage(cpu);
const addresses = running.map(({ daemon }) => daemon.address);
for (let index = 0; index < silent; index++) addresses.push(await silentAddress());

const tell = (): void => {
  const message: NodesMessage = {
    addresses,
    startMs: (user + system) / 1_000 / Math.max(1, daemons),
    movedBytes: running.reduce((sum, { daemon, btf }) => sum + daemon.callsOf('spec').length * btf.length, 0),
    distinctBytes: kernels.reduce((sum, btf) => sum + btf.length, 0),
  };
  process.send?.(message);
};
process.on('message', tell);
process.on('disconnect', () => process.exit());
tell();
