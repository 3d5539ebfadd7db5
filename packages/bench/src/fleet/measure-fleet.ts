import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AskedMessage, NodesMessage } from './fleet-messages.js';
import { SocketCount } from './socket-count.js';

/** Nodes in one process would be slower than the one that asks them. */
const PROCESSES = 4;
const CONCURRENCY = 32;
/** docs/fleet.md recommends them to programs that ask many nodes. */
const FLAGS = ['--optimize-for-size', '--no-maglev'];

/** measureFleet prints the cost of a survey and of one question for each build, in the asking process alone. */
export async function measureFleet(quick: boolean): Promise<void> {
  console.log(
    `\nA fleet of fake daemons of four builds in ${PROCESSES} processes, asked ${CONCURRENCY} at a time.\n`,
  );
  const sizes = quick ? [100, 300] : [100, 300, 1_000];
  const costs: (readonly [nodes: number, cpuMs: number])[] = [];
  for (const size of sizes) {
    const row = await measureOne({ daemons: size, dead: 0, silent: 0 });
    console.table({ [`${size} nodes`]: row });
    costs.push([size, row['survey: CPU, s'] ?? 0]);
  }
  const size = sizes.at(-1) ?? 0;
  const usual = await measureOne({ daemons: size, dead: 0, silent: 0 }, []);
  console.table({ [`${size} nodes, without ${FLAGS.join(' ')}`]: usual });
  const third = Math.floor(size / 3);
  const dead = await measureOne({ daemons: size - third, dead: third, silent: 0 });
  console.table({ [`${size} nodes, a third dead`]: dead });
  const silent = await measureOne({ daemons: size - third, dead: 0, silent: third });
  console.table({ [`${size} nodes, a third silent`]: silent });
  console.log(`CPU time grows with the number of nodes to the power of ${round(slope(costs))}.`);
}

interface Nodes {
  readonly daemons: number;
  readonly dead: number;
  readonly silent: number;
}

async function measureOne(
  { daemons, dead, silent }: Nodes,
  flags: readonly string[] = FLAGS,
): Promise<Record<string, number>> {
  await using nodes = new Children();
  const share = (count: number, index: number): string =>
    String(Math.floor(count / PROCESSES) + (index < count % PROCESSES ? 1 : 0));
  for (let index = 0; index < PROCESSES; index++)
    nodes.start('node-child', [share(daemons, index), share(silent, index)]);
  const started = await nodes.messages<NodesMessage>();
  const addresses = [...started.flatMap((message) => message.addresses), ...deadAddresses(dead)];
  await using askers = new Children();
  const pid = askers.start('asker-child', [String(CONCURRENCY)], flags);
  using sockets = new SocketCount(pid);
  askers.send(shuffled(addresses));
  const [asked] = await askers.messages<AskedMessage>();
  if (asked === undefined) throw new Error('the asking process sent nothing');
  nodes.send('moved');
  const moved = await nodes.messages<NodesMessage>();
  const { survey, question } = asked;
  return {
    'survey: CPU, s': round(survey.cpuMs / 1_000),
    'CPU a node, ms': round(survey.cpuMs / asked.nodes),
    'wall, s': round(survey.wallMs / 1_000),
    'question: CPU, s': round(question.cpuMs / 1_000),
    'its wall, s': round(question.wallMs / 1_000),
    answered: asked.answered,
    builds: asked.builds,
    'BTF moved, bytes': moved.reduce((sum, { movedBytes }) => sum + movedBytes, 0),
    'BTF of all builds, bytes': moved[0]?.distinctBytes ?? 0,
    'most sockets': sockets.most,
    'most memory, MiB': round(asked.mebibytes),
    'start of a fake: CPU, ms': round(Math.max(...started.map(({ startMs }) => startMs))),
  };
}

/** Nothing listens on the first port, on any address of this machine. */
function deadAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `127.9.${index >> 8}.${index & 0xff}:1`);
}

/** Spreads the nodes that do not respond among the others, the same way each time. */
function shuffled(addresses: readonly string[]): string[] {
  const keys = new Map(addresses.map((address, index) => [address, (index * 7_919) % addresses.length]));
  return addresses.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
}

/** Returns the exponent of a cost that grows with a power of the number of nodes, by the first and the last of them. */
function slope(costs: readonly (readonly [nodes: number, cost: number])[]): number {
  const [[fewest, least], [most, last]] = [costs[0] ?? [1, 1], costs.at(-1) ?? [1, 1]];
  return Math.log(last / least) / Math.log(most / fewest);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Children are processes of this folder. Each sends a message when it is ready, and one for each that it gets. */
class Children implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];
  #next: Promise<unknown>[] = [];

  /** Returns the id of the process. */
  start(
    program: 'node-child' | 'asker-child',
    args: readonly string[],
    execArgv: readonly string[] = [],
  ): number {
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    const child = fork(path, args, { execArgv: [...execArgv] });
    this.#children.push(child);
    this.#next.push(messageOf(child));
    if (child.pid === undefined) throw new Error('a process of the fleet did not start');
    return child.pid;
  }

  send(message: string | readonly string[]): void {
    for (const child of this.#children) child.send(message);
    this.#next = this.#children.map(async (child) => messageOf(child));
  }

  /** Returns the next message of each. */
  async messages<M>(): Promise<M[]> {
    const messages: unknown[] = await Promise.all(this.#next);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- The programs of this folder send what their types say.
    return messages as M[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  }
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process of the fleet ended with ${String(code)}`);
  });
  ended.catch(() => {});
  const [message]: unknown[] = await Promise.race([once(child, 'message'), ended]);
  return message;
}
