import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import type { CheckItem, CheckJob } from '../pool/job.js';
import { intBtf } from '../testing/btf-bytes.js';
import { failureOf } from '../testing/service-error.js';
import { checkSteps } from './check-job.js';
import { SpecCache } from './spec-cache.js';

const KERNEL = { digest: 'kernel', bytes: intBtf('number') };

function jobFor(path: string, changes: Partial<CheckJob> = {}): CheckJob {
  return {
    name: 'check',
    object: new Uint8Array(readFileSync(new URL(`../../../btf/src/${path}.bpf.o`, import.meta.url))),
    kernel: KERNEL,
    modules: [],
    loader: 'libbpf',
    programs: null,
    variables: new Map(),
    attachTargets: new Map(),
    kernelVersion: null,
    all: true,
    sent: 0,
    chunkBytes: 256 * 1024,
    ...changes,
  };
}

function itemsOf(job: CheckJob): CheckItem[] {
  return [...checkSteps(job, new SpecCache(1 << 20))].filter((item) => item !== null);
}

test('the report of an ordinary object is one item, with the verdict', () => {
  const [item, ...others] = itemsOf(jobFor('check/testdata/needs'));
  expect(others).toEqual([]);
  expect(item).toMatchObject({ case: 'messages', verdict: 'FAILS' });
  expect(item?.case === 'messages' && item.ends.at(-1)).toBe(item?.value?.length);
});

test('a kernel that cannot be decoded is not the fault of the object', async () => {
  const kernel = { digest: 'broken', bytes: new Uint8Array(24) };
  const error = await failureOf(() => itemsOf(jobFor('check/testdata/needs', { kernel })));
  expect(error.reason).toBe(ErrorReason.BTF_UNDECODABLE);
});

test('a module that cannot be decoded is not the fault of the object', async () => {
  const modules = [{ info: { name: 'mod' }, btf: { digest: 'broken', bytes: new Uint8Array(24) } }];
  const error = await failureOf(() => itemsOf(jobFor('check/testdata/needs', { modules })));
  expect(error.reason).toBe(ErrorReason.BTF_UNDECODABLE);
});
