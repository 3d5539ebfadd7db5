import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AskedMessage, NodesMessage } from './fleet-messages.js';

/** Nodes in one process would be slower than the one that asks them. */
const PROCESSES = 4;
const CONCURRENCY = 32;

/** measureFleet prints the cost of a survey and of one question for each build, in the asking process alone. */
export async function measureFleet(quick: boolean): Promise<void> {
  const rows: Record<string, Record<string, number>> = {};
  const sizes = quick ? [100, 300] : [100, 300, 1_000];
  for (const size of sizes) rows[`${size} nodes`] = await measureOne(size, 0);
  const size = sizes.at(-1) ?? 0;
  rows[`${size} nodes, and ${size / 2} silent ones`] = await measureOne(size, size / 2);
  console.log(
    `\nA fleet of fake daemons of four builds in ${PROCESSES} processes, asked ${CONCURRENCY} at a time.\n`,
  );
  console.table(rows);
}

async function measureOne(size: number, silent: number): Promise<Record<string, number>> {
  await using nodes = new Children();
  const share = (count: number): string => String(Math.ceil(count / PROCESSES));
  for (let index = 0; index < PROCESSES; index++) nodes.start('node-child', [share(size), share(silent)]);
  const addresses = (await nodes.messages<NodesMessage>()).flatMap((message) => message.addresses);
  await using askers = new Children();
  askers.start('asker-child', [String(CONCURRENCY)]);
  askers.send(addresses);
  const [asked] = await askers.messages<AskedMessage>();
  if (asked === undefined) throw new Error('the asking process sent nothing');
  nodes.send('transfers');
  const transfers = (await nodes.messages<NodesMessage>()).reduce(
    (sum, message) => sum + message.transfers,
    0,
  );
  const { survey, question } = asked;
  return {
    'survey: CPU, s': round(survey.cpuMs / 1_000),
    'CPU a node, ms': round(survey.cpuMs / asked.nodes),
    'wall, s': round(survey.wallMs / 1_000),
    'question: CPU, s': round(question.cpuMs / 1_000),
    answered: asked.answered,
    builds: asked.builds,
    'transfers of BTF': transfers,
    'most sockets': asked.sockets,
    'most memory, MiB': round(asked.mebibytes),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Children are processes of this folder. Each sends a message when it is ready, and one for each that it gets. */
class Children implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];
  #next: Promise<unknown>[] = [];

  start(program: 'node-child' | 'asker-child', args: readonly string[]): void {
    const child = fork(fileURLToPath(new URL(`./${program}.js`, import.meta.url)), args);
    this.#children.push(child);
    this.#next.push(messageOf(child));
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
