import { installCommand, labelOf } from './tools.js';

/** SkipSummary is a jest reporter. It lists the missing tools because of which tests were skipped, and how to install them. */
// oxlint-disable-next-line import/no-default-export -- jest requires it
export default class SkipSummary {
  onRunComplete(_, { testResults }) {
    const skipped = new Map();
    for (const { testResults: tests, testFilePath } of testResults) {
      for (const { status, fullName } of tests) {
        const tool = status === 'pending' ? /\[needs ([^\]]+)\]/.exec(fullName)?.[1] : undefined;
        if (tool === undefined) continue;
        const of = skipped.get(tool) ?? { tests: 0, suites: new Set() };
        of.tests++;
        of.suites.add(testFilePath);
        skipped.set(tool, of);
      }
    }
    if (skipped.size === 0) return;
    const lines = [...skipped]
      .toSorted(([, a], [, b]) => b.tests - a.tests)
      .map(([tool, { tests, suites }]) => [
        labelOf(tool),
        `${tests} ${tests === 1 ? 'test' : 'tests'} in ${suites.size} ${suites.size === 1 ? 'suite' : 'suites'}`,
        installCommand([tool]),
      ]);
    const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column].length)));
    process.stderr.write('\nSkipped, because this machine lacks:\n');
    for (const [tool, count, command] of lines) {
      process.stderr.write(`  ${tool.padEnd(widths[0])}  ${count.padEnd(widths[1])}  ${command}\n`);
    }
    process.stderr.write(`All of them: ${installCommand([...skipped.keys()])}\n\n`);
  }
}
