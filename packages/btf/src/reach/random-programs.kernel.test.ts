import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { seeded } from 'test-tools/random';
import { ProgramLoader } from '../testing/program-loader.js';
import { compareWithKernel, ORACLE_DATA, oraclePrograms, type OracleCounts } from '../testing/reach-oracle.js';
import { verifierTraits } from './program.js';

const PROGRAMS = 300;

needs('bpf', 'gcc').describe('random programs', () => {
  let loader: ProgramLoader;

  beforeAll(() => {
    loader = new ProgramLoader(ORACLE_DATA);
  });
  afterAll(() => loader.close());

  test('are not refused for an instruction that is never reached', () => {
    const random = seeded(0x5eed);
    // The running kernel may be any: the traits of an unknown version hold on it.
    const verifier = { ...verifierTraits(null), readsData: true };
    const programs = Array.from({ length: PROGRAMS }, () => oraclePrograms(random, verifier, true)).flat();
    const counts: OracleCounts = { accepted: 0, otherwiseRefused: 0, reach: {} };
    expect(compareWithKernel(programs, loader.load(programs), counts)).toEqual([]);
    if (process.env['SHOW']) console.log(JSON.stringify(counts));
  });
});
