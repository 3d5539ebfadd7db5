import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { VMLINUX } from './testing/bpftool.js';

const LOOKUPS = 2_000;
/** Number of specs held at once, which share the noise of the rest of the process. */
const SPECS = 16;
const MB = 1_000_000;

/** Prints the bytes that each spec of the kernel's BTF takes in addition to the raw ones: when parsed, and after lookups. */
const PROGRAM = `
  import { readFileSync } from 'node:fs';
  import { Spec } from ${JSON.stringify(fileURLToPath(new URL('../dist/index.js', import.meta.url)))};
  const bytes = new Uint8Array(readFileSync(${JSON.stringify(VMLINUX)}));
  const warm = Spec.parse(bytes);
  const names = Array.from({ length: warm.typeCount }, (_, i) => warm.nameOf(i + 1)).filter((name) => name !== '');
  const looked = Array.from({ length: ${LOOKUPS} }, (_, i) => names[Math.floor((i * names.length) / ${LOOKUPS})]);
  for (const name of looked) warm.idsByName(name);
  const used = () => {
    for (let i = 0; i < 4; i++) gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const specs = Array.from({ length: ${SPECS} }, () => Spec.parse(bytes));
  const parsed = used() - before;
  for (const spec of specs) {
    for (const name of looked) if (spec.idsByName(name).length === 0) throw new Error(name);
  }
  const searched = used() - before - parsed;
  // Objects to which a WeakRef referred live until the end of the job.
  for (const spec of specs) for (const name of looked) spec.typesByName(name);
  await new Promise((resolve) => setTimeout(resolve));
  const decoded = used() - before - parsed - searched;
  console.log(
    JSON.stringify({
      parsed: parsed / ${SPECS},
      searched: searched / ${SPECS},
      decoded: decoded / ${SPECS},
      types: warm.typeCount,
      kept: specs.length,
    }),
  );
`;

needs('vmlinux').describe('a spec of the running kernel', () => {
  const run = (): { parsed: number; searched: number; decoded: number; types: number } =>
    JSON.parse(
      execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', PROGRAM], {
        encoding: 'utf8',
      }),
    );

  test('takes an offset for each type in addition to its bytes, and no map of names or types after two thousand lookups', () => {
    const { parsed, searched, decoded, types } = run();
    expect(types).toBeGreaterThan(10_000);
    // The measurement includes the offsets.
    expect(parsed).toBeGreaterThan(4 * types - MB / 4);
    expect(parsed).toBeLessThan(4 * types + MB / 4);
    expect(parsed).toBeLessThan(MB);
    // At most eight bytes for each type. A map of names takes about fifty.
    expect(searched).toBeLessThan(8 * types + MB / 4);
    // The text of all strings is there before; decoded types would take about twice this.
    expect(decoded).toBeLessThan(MB / 4);
  });
});
