import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { type DocProgram, docPrograms } from './testing/doc-programs.js';
import { TestCertificates } from './testing/test-certificates.js';
import { until } from './testing/until.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** In this package, so that the programs find its dependencies. */
const DIR = fileURLToPath(new URL('../dist/docs', import.meta.url));
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

/** The addresses in the documents, and the folder of the certificates. Those of a test are elsewhere. */
const ADDRESS = '/run/btfd/btfd.sock';
const TLS_ADDRESS = 'node7.example:7443';
const TLS_DIR = '/etc/btfd/';

const USER = 'spiffe://test/user';

/** The BPF objects that the programs read. */
const OBJECTS = ['examples/bpf/agent.bpf.o', 'packages/e2e/testdata/btf/program.bpf.o'];

const DOCUMENTS = [
  'README.md',
  'docs/guide.md',
  'docs/compat.md',
  'docs/fleet.md',
  'docs/btf-library.md',
  'docs/protocol.md',
  'docs/fd.md',
  ...['packages/api', 'packages/btf', 'packages/client', 'packages/fleet', 'packages/server', 'native'].map(
    (dir) => `${dir}/README.md`,
  ),
];

interface NamedProgram extends DocProgram {
  /** Its document and line. */
  readonly place: string;
  readonly file: string;
}

const PROGRAMS: readonly NamedProgram[] = DOCUMENTS.flatMap((document) =>
  docPrograms(readFileSync(join(ROOT, document), 'utf8')).map(({ line, source, runs, prints }) => ({
    line,
    source,
    runs,
    prints,
    place: `${document}:${line}`,
    file: `${document.replaceAll(/[/.]/g, '-')}-${line}`,
  })),
);

test('a block without an import continues the program before it', () => {
  const block = (source: string): string => `\`\`\`ts\n${source}\`\`\`\n`;
  const text = '```text\nprinted\n```\n';
  const markdown = `# Title\n\n${block("import 'a';\n")}text\n${block('b();\n')}\n${block("import 'c';\n")}`;
  expect(docPrograms(`${markdown}\n<!-- not run: why -->\n\n${block("import 'd';\n")}${text}`)).toEqual([
    { line: 3, source: "import 'a';\n{\nb();\n}\nexport {};\n", runs: true, prints: [] },
    { line: 11, source: "import 'c';\nexport {};\n", runs: true, prints: [] },
    { line: 15, source: "import 'd';\nexport {};\n", runs: false, prints: ['printed\n'] },
  ]);
});

needs('bpf').describe('the TypeScript in the documents', () => {
  let certificates: TestCertificates;
  let daemon: DaemonProcess;

  beforeAll(async () => {
    certificates = await TestCertificates.make();
    daemon = await DaemonProcess.start({ args: [...certificates.args, '--viewer', `uri:${USER}`] });
    await until('the port is logged', () => daemon.tcpPort() !== null);
    const { cert, key } = await certificates.issueClient([USER]);
    const files = { 'ca.pem': certificates.ca, 'client.pem': cert, 'client.key': key };
    for (const [name, text] of Object.entries(files)) certificates.write(join(certificates.dir, name), text);
    rmSync(DIR, { recursive: true, force: true });
    mkdirSync(DIR, { recursive: true });
    for (const { file, source } of PROGRAMS) {
      const here = source
        .replaceAll(ADDRESS, daemon.socket)
        .replaceAll(TLS_ADDRESS, `localhost:${daemon.tcpPort()}`)
        .replaceAll(TLS_DIR, `${certificates.dir}/`);
      writeFileSync(join(DIR, `${file}.ts`), here);
    }
    for (const path of OBJECTS) copyFileSync(join(ROOT, path), join(DIR, basename(path)));
    const config = {
      extends: '../../../../tsconfig.base.json',
      // Examples declare names that they do not use.
      compilerOptions: {
        types: ['node'],
        noUnusedLocals: false,
        composite: false,
        declaration: false,
        declarationMap: false,
      },
      include: ['*.ts'],
    };
    writeFileSync(join(DIR, 'tsconfig.json'), JSON.stringify(config));
  });

  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    certificates?.[Symbol.dispose]();
    rmSync(DIR, { recursive: true, force: true });
  });

  test('passes the type checker, and compiles for the next tests', () => {
    const { stdout, status } = spawnSync(process.execPath, [TSC, '-p', DIR], { encoding: 'utf8' });
    expect([stdout, status]).toEqual(['', 0]);
  });

  describe('runs', () => {
    test.each(
      PROGRAMS.filter(({ runs }) => runs).map(({ place, file, prints }) => [place, file, prints] as const),
    )('%s', (_, file, prints) => {
      const { status, stderr, stdout } = spawnSync(process.execPath, [join(DIR, `${file}.js`)], {
        cwd: DIR,
        encoding: 'utf8',
        timeout: 120_000,
      });
      if (status !== 0) throw new Error(`ended with ${status}:\n${stderr}${stdout}`);
      expect(stdout).not.toBe('');
      for (const text of prints) expect(general(stdout)).toContain(general(text));
    });
  });
});

/** Removes numbers, which differ between kernels, and the spaces before them. */
function general(text: string): string {
  return text.replaceAll(/ *\d+/g, '#');
}
