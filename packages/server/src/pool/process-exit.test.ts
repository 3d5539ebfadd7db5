import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

const POOL = new URL('../../dist/pool/worker-pool.js', import.meta.url).href;
const LIMITS =
  '{ specCacheBytes: 1e6, workers: 1, maxJobs: 8, maxJobsPerPrincipal: 8, workerHeapBytes: 64 * 2 ** 20, workerStepMs: 10_000 }';
const BTF = '{ digest: "", bytes: new Uint8Array() }';

test('A worker keeps the process alive only while it has a job', () => {
  const program = `
    import { WorkerPool } from ${JSON.stringify(POOL)};
    const pool = new WorkerPool(${LIMITS}, console.error);
    const job = { name: 'resolve', btf: ${BTF}, base: null, paths: [], digest: new Uint8Array() };
    try {
      for await (const _ of pool.run(job, 'uid:0', new AbortController().signal)) ;
    } catch (error) {
      console.log(error.message);
    }
  `;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  expect({ stdout, stderr, status }).toEqual({
    stdout: expect.stringMatching(/^the BTF cannot be decoded: .*\n$/),
    stderr: '',
    status: 0,
  });
});
