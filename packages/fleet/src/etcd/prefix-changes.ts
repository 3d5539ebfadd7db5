import type { Etcd3 } from 'etcd3';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bounded, orAborted } from '../base/bounded.js';
import { CALL_MS, etcd3Package, openEtcd } from './etcd-client.js';
import type { CheckedEtcd } from './etcd-options.js';

/** The waiting before another attempt to watch, doubled after each that fails. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * prefixChanges yields after each change of a key with the prefix, once for changes in quick succession. It also yields
 * each time that it begins to watch, because it may have missed changes before. It watches from now on, and so never asks
 * for a revision that was compacted. While etcd cannot be watched it tries again: listing reports why.
 *
 * etcd3's own watcher is not used: after an outage it waits up to 30 s to connect again, and a closed client keeps its timers.
 *
 * @throws BtfError FAILED_PRECONDITION if `etcd3` is not installed.
 */
export async function* prefixChanges(
  etcd: CheckedEtcd,
  signal: AbortSignal,
): AsyncGenerator<void, void, undefined> {
  await etcd3Package();
  using ending = new Bounded([signal], Infinity);
  const hint = new Hint();
  const watching = keepWatching(etcd, ending.signal, () => hint.give());
  try {
    while (await hint.next(ending.signal)) yield;
  } finally {
    ending.abort(new DOMException('the watch was left', 'AbortError'));
    await watching;
  }
}

/** Hint says that something happened since it was last taken, however often. */
class Hint {
  #isGiven = false;
  #wake = (): void => {};

  give(): void {
    this.#isGiven = true;
    this.#wake();
  }

  /** next takes the hint, as soon as there is one. Returns false if the signal aborts first. */
  async next(signal: AbortSignal): Promise<boolean> {
    while (!this.#isGiven && !signal.aborted) {
      const given = new Promise<void>((resolve) => (this.#wake = resolve));
      await orAborted(given, signal).catch(() => {});
    }
    this.#isGiven = false;
    return !signal.aborted;
  }
}

async function keepWatching(etcd: CheckedEtcd, signal: AbortSignal, tell: () => void): Promise<void> {
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    const seen = (): void => {
      wait = FIRST_WAIT_MS;
      tell();
    };
    await openAndWatch(etcd, signal, seen).catch(() => {});
    await sleep(wait, undefined, { signal }).catch(() => {});
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }
}

/** Watches with a new client, because one keeps tokens that are not valid any more. @throws if its certificates cannot be read now. */
async function openAndWatch(etcd: CheckedEtcd, signal: AbortSignal, tell: () => void): Promise<void> {
  const client = await openEtcd(etcd);
  try {
    await watchOnce(client, etcd.range, signal, tell);
  } finally {
    client.close();
  }
}

/** Watches until the stream ends, for whatever reason. */
async function watchOnce(
  client: Etcd3,
  { start, end }: CheckedEtcd['range'],
  signal: AbortSignal,
  tell: () => void,
): Promise<void> {
  const stream = await orAborted(client.watchClient.watch(), signal);
  const cancel = (): void => stream.cancel();
  const timer = setTimeout(cancel, CALL_MS);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await new Promise<void>((resolve) => {
      stream.on('error', () => resolve());
      stream.on('end', resolve);
      stream.on('data', ({ created, canceled, events }) => {
        clearTimeout(timer);
        if (canceled) cancel();
        else if (created || events.length > 0) tell();
      });
      stream.write({ create_request: { key: start, range_end: end } });
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}
