import type { TransferProgress } from '@btfd/client';
import type { SingleBar } from 'cli-progress';
import { printable } from './safe-text.js';
import type { Stream } from './terminal.js';

/** Shorter transfers show no progress bar. */
const DELAY_MS = 500;

/** Columns of the bar itself. */
const BAR_COLUMNS = 24;

/** Progress draws a progress bar on a terminal for transfers that take longer than half a second. */
export class Progress implements Disposable {
  readonly #stream: Stream;
  readonly #now: () => number;
  /** The transfers in progress, by source and object. */
  readonly #transfers = new Map<string, TransferProgress>();
  #startedAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #bar: SingleBar | null = null;

  /** @param now returns the milliseconds of a clock. */
  constructor(stream: Stream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  /** Updates the progress of a transfer. */
  update(source: string, progress: TransferProgress): void {
    if (this.#transfers.size === 0) {
      this.#startedAt = this.#now();
      this.#timer = setTimeout(() => void this.#show(), DELAY_MS);
    }
    this.#transfers.set(`${source}\0${progress.name}`, progress);
    this.#bar?.update(sum(this.#transfers, 'received'));
    this.#bar?.setTotal(sum(this.#transfers, 'total'));
    if (isDone(this.#transfers)) this.#stop();
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  async #show(): Promise<void> {
    const timer = this.#timer;
    // Loaded only here, because few transfers take that long.
    const { default: cliProgress } = await import('cli-progress');
    if (this.#timer !== timer) return;
    const bar = new cliProgress.SingleBar({
      stream: this.#stream,
      clearOnComplete: true,
      // A process that is stopped or killed could not show the cursor again.
      hideCursor: false,
      // A signal ends the command, and that stops the bar.
      gracefulExit: false,
      linewrap: false,
      format: (_options, { value, total }) => this.#line(value, total),
    });
    this.#bar = bar;
    bar.start(sum(this.#transfers, 'total'), sum(this.#transfers, 'received'));
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#bar?.stop();
    this.#bar = null;
    this.#transfers.clear();
  }

  #line(received: number, total: number): string {
    const names = [...new Set([...this.#transfers.values()].map(({ name }) => printable(name) || 'BTF'))];
    return progressLine(names.join(', '), received, total, this.#now() - this.#startedAt);
  }
}

/** progressLine returns one state of the bar. @param total 0 if it is not known. */
export function progressLine(name: string, received: number, total: number, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (received / elapsedMs) * 1000 : 0;
  const far = `${megabytes(received)}${total > 0 ? `/${megabytes(total)}` : ''} MB  ${megabytes(rate)} MB/s`;
  if (total === 0) return `${name}  ${far}`;
  const filled = Math.round(Math.min(1, received / total) * BAR_COLUMNS);
  return `${name}  ${'█'.repeat(filled)}${'░'.repeat(BAR_COLUMNS - filled)}  ${far}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function sum(transfers: ReadonlyMap<string, TransferProgress>, field: 'received' | 'total'): number {
  let bytes = 0;
  for (const transfer of transfers.values()) bytes += transfer[field] ?? 0;
  return bytes;
}

function isDone(transfers: ReadonlyMap<string, TransferProgress>): boolean {
  for (const { received, total } of transfers.values()) {
    if (total === null || received < total) return false;
  }
  return true;
}
