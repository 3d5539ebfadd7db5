import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { BTFCTL } from './testing/btfctl.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { describeKernel } from './testing/describe-kernel.js';
import { rawBtf } from './testing/sample-btf.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SOURCES = fileURLToPath(new URL('../testdata/btf', import.meta.url));

jest.setTimeout(90_000);

/** A command in a document, and what the document says that it prints. */
const SHOWN = ['README.md', 'docs/btfctl.md'].flatMap((document) => {
  const blocks = readFileSync(join(ROOT, document), 'utf8').matchAll(/^```(\w*)\n([^]*?)^```$/gm);
  return [...blocks].flatMap(([, language, block = '']) =>
    (language === '' ? block : '')
      .split(/^\$ (?=btfctl )/m)
      .slice(1)
      .map((text) => {
        const [command = '', ...output] = text.split('\n');
        return { document, command, output: output.join('\n') };
      }),
  );
});

describeKernel('the documents of btfctl', () => {
  let daemon: DaemonProcess;
  let dir: string;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    dir = mkdtempSync(join(tmpdir(), 'btfctl-docs-'));
    writeFileSync(join(dir, 'btfctl'), `#!/bin/sh\nexec '${process.execPath}' '${BTFCTL}' "$@"\n`, {
      mode: 0o755,
    });
    copyFileSync(join(SOURCES, 'program.bpf.o'), join(dir, 'program.bpf.o'));
    for (const name of ['before', 'after']) {
      execFileSync('gcc', ['-g', '-c', join(SOURCES, `${name}.c`), '-o', join(dir, `${name}.o`)]);
      execFileSync('pahole', ['-J', join(dir, `${name}.o`)]);
    }
    // An int, and a type of no kind.
    const words = [1, 1 << 24, 4, 32, 1, 0, 4, 32];
    writeFileSync(join(dir, 'bad.btf'), rawBtf(words, '\0bad\0'));
  });
  afterAll(async () => {
    rmSync(dir, { recursive: true });
    await daemon[Symbol.asyncDispose]();
  });

  test('show commands at all', () => {
    expect(SHOWN.length).toBeGreaterThan(5);
  });

  test.each(SHOWN.map((shown) => [shown.document, shown.command, shown.output] as const))(
    '%s shows what `%s` prints, but for what differs from kernel to kernel',
    (_, command, output) => {
      const printed = execFileSync('sh', ['-c', `${command} || [ $? -lt 6 ]`], {
        cwd: dir,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${dir}:${process.env['PATH']}`, BTFD_ADDRESS: daemon.address },
      });
      // Who else is on this machine, and what it loaded, is not in the document.
      const shown = (text: string): string[] =>
        general(text).slice(0, command.includes(' list ') ? 1 : undefined);
      expect(shown(printed)).toEqual(shown(output));
    },
  );
});

/** Lines without numbers and without the spaces that depend on them. */
function general(text: string): string[] {
  return text
    .replaceAll(/\d[\d,]*/g, '#')
    .replaceAll(/ +/g, ' ')
    .split('\n')
    .map((line) => line.trimStart());
}
