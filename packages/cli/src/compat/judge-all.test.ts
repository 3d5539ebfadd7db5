import { setTimeout } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { checkObject, parseBpfObject, Spec, type ObjectReport } from '@btfd/btf';
import { CliError } from '../error/cli-error.js';
import { type JudgeAllOptions, judgeAll } from './judge-all.js';
import type { CompatKernel } from './kernel.js';
import type { PreparedFile } from './prepare.js';
import { type CompatReport, localReport } from './report.js';

const bytes = new Uint8Array(readFileSync(fileURLToPath(new URL('testdata/agent.bpf.o', import.meta.url))));
const object = parseBpfObject(bytes);
const report: ObjectReport = checkObject(object, { kernel: object.spec });
const file: PreparedFile = {
  name: 'agent.bpf.o',
  path: 'agent.bpf.o',
  offset: 0,
  bytes,
  object,
  programs: null,
  variables: {},
  attachTargets: {},
};

/** Counts how many kernels judge at the same time. */
class Busy {
  now = 0;
  most = 0;
}

class TestKernel implements CompatKernel {
  readonly label: string;
  readonly isLocal: boolean;
  readonly lacksVersion = false;
  isReleased = false;
  readonly #busy: Busy;
  readonly #error: Error | null;

  constructor(label: string, isLocal: boolean, busy: Busy, error: Error | null = null) {
    this.label = label;
    this.isLocal = isLocal;
    this.#busy = busy;
    this.#error = error;
  }

  async judge(): Promise<CompatReport> {
    this.#busy.most = Math.max(this.#busy.most, (this.#busy.now += 1));
    await setTimeout(1);
    this.#busy.now -= 1;
    if (this.#error !== null) throw this.#error;
    return localReport(report);
  }

  spec(): Promise<Spec> {
    return Promise.resolve(object.spec);
  }

  release(): void {
    this.isReleased = true;
  }
}

function options(more: Partial<JudgeAllOptions> = {}): JudgeAllOptions {
  return {
    loader: 'libbpf',
    all: false,
    interrupted: new AbortController().signal,
    progress: () => {},
    judged: () => Promise.resolve(),
    ...more,
  };
}

test('it asks eight daemons at a time, and reads one kernel in a file after the other', async () => {
  const [daemons, files] = [new Busy(), new Busy()];
  const kernels = Array.from({ length: 40 }, (_, at) => {
    const isLocal = at % 4 === 0;
    return new TestKernel(`k${at}`, isLocal, isLocal ? files : daemons);
  });
  const seen: (readonly number[])[] = [];
  const judged: string[] = [];
  const rows = await judgeAll(
    [file, file],
    kernels,
    options({
      progress: (done, total) => seen.push([done, total]),
      judged: (kernel, cells) => {
        judged.push(`${kernel.label} ${cells.length}`);
        expect(kernels.find(({ label }) => label === kernel.label)?.isReleased).toBe(false);
        return Promise.resolve();
      },
    }),
  );
  expect([daemons.most, files.most]).toEqual([8, 1]);
  expect(kernels.every(({ isReleased }) => isReleased)).toBe(true);
  expect(seen).toEqual(Array.from({ length: 80 }, (_, at) => [at + 1, 80]));
  expect(judged.toSorted()).toEqual(kernels.map(({ label }) => `${label} 2`).toSorted());
  for (const { cells } of rows) expect(cells.map(({ kernel }) => kernel)).toEqual(kernels);
});

test('it ends with the reason of an interruption, which is not the error of a kernel', async () => {
  const interrupted = new AbortController();
  const kernel = new TestKernel('k', false, new Busy(), new CliError(1, 'cancelled'));
  const progress = (): void => interrupted.abort(130);
  const rows = judgeAll([file, file], [kernel], options({ interrupted: interrupted.signal, progress }));
  await expect(rows).rejects.toBe(130);
});
