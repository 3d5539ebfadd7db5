import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { functionNames } from './testing/exercise-library.js';
import { FUZZ_TARGETS } from './testing/fuzz/targets.js';

/** The compiled script: only there are its own scripts the only ones that V8 counts. */
const MAIN = fileURLToPath(new URL('../dist/testing/fuzz/main.js', import.meta.url));

const INPUTS = 8_000;

/** No call of the library on hostile bytes may need more memory than this beyond its input, in MiB. */
const HEAP = 256;

/**
 * Calls of functions for one byte that is read, by all that the harness asks of one input: a measure of time that
 * is the same on any machine. It was some hundred when this was written; a quadratic algorithm makes thousands.
 */
const CALLS_PER_BYTE = 1000;

/** Function calls for each stated limit of work that is reached: printing takes 2^22 steps of several calls each. */
const CALLS_PER_LIMIT = 32 * 2 ** 22;

const SEED = Number(process.env['BTFD_FUZZ_SEED'] ?? 1);

test.each(FUZZ_TARGETS)(
  "inputs that V8's coverage guides into $name end in a value or a typed error, within bounds",
  async ({ name, seeds, boundedBySteps = false }) => {
    const inputs = boundedBySteps ? INPUTS / 4 : INPUTS;
    const args = [`--max-old-space-size=${HEAP}`, MAIN, name, String(inputs), String(SEED)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 19 * 60_000 });
    const report: Record<string, unknown> = JSON.parse(stdout);
    console.log(stdout.trim());
    expect(report).toMatchObject({ inputs, finding: null });
    expect(report['corpus']).toBeGreaterThan(seeds.length);
    expect(report['blocks']).toBeGreaterThan(Number(report['seedBlocks']) * 1.2);
    expect(boundedBySteps ? 0 : report['callsPerByte']).toBeLessThan(CALLS_PER_BYTE);
    expect(report['callsPerLimit']).toBeLessThan(CALLS_PER_LIMIT);
  },
);

test('the harness calls the functions of the library', () => {
  expect(functionNames()).toEqual(expect.arrayContaining(['sizeof', 'resolveMember', 'postorder']));
});
