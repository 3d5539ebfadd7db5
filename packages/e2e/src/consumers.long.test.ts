import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { InstalledPackages } from './testing/installed-packages.js';
import { npmNode } from 'test-tools/npm-node';

/** Programs, configurations and the versions of the tools. */
const TOOLS = fileURLToPath(new URL('../testdata/tools', import.meta.url));
const GUIDE = readFileSync(new URL('../../../docs/guide.md', import.meta.url), 'utf8');

/** The output of list.mjs, list.cjs and using.mjs. */
const LISTED = { first: 'vmlinux', size: 16, isSpec: true };

const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** The commands that make a bundle, as the guide shows them, and the bundle. */
const BUNDLES = [
  [
    `npx esbuild list.mjs --bundle --platform=node --format=esm --outfile=out/esbuild.mjs --banner:js="${REQUIRE}"`,
    'out/esbuild.mjs',
  ],
  ['npx esbuild list.cjs --bundle --platform=node --outfile=out/esbuild.cjs', 'out/esbuild.cjs'],
  ['npx vite build', 'out/vite/list.mjs'],
  ['npx webpack', 'out/webpack/list.cjs'],
  ['npx rollup --config', 'out/rollup/list.mjs'],
] as const;

needs('bpf').describe('the packages, packed and installed from npm with other tools', () => {
  let installed: InstalledPackages;
  let project: string;
  let daemon: DaemonProcess;

  beforeAll(async () => {
    installed = new InstalledPackages();
    project = join(installed.dir, 'tools');
    cpSync(TOOLS, project, { recursive: true });
    const tarballs = installed.tarballs.filter((path) => /btfd-(?:api|btf|client)-/.test(path));
    run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs);
    // npm 12 runs no install scripts, but that of bun puts the program into its place.
    run(process.execPath, 'node_modules/bun/install.js');
    daemon = await DaemonProcess.start();
  });

  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    installed?.[Symbol.dispose]();
  });

  function run(command: string, ...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: project,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${join(project, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
        NODE_OPTIONS: '',
      },
    });
    if (status !== 0)
      throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr}${stdout}`);
    return stdout;
  }

  test.each(BUNDLES)('work in the bundle of `%s`', (command, bundle) => {
    expect(GUIDE).toContain(command);
    run('sh', '-c', command);
    // In another folder, in which nothing is installed.
    const alone = join(installed.dir, 'bundles');
    cpSync(join(project, 'out'), alone, { recursive: true });
    expect(
      JSON.parse(run(process.execPath, join(alone, bundle.replace('out/', '')), daemon.address)),
    ).toEqual(LISTED);
  });

  test.each(['vite.config.mjs', 'webpack.config.cjs', 'rollup.config.mjs'])(
    'need the %s of the guide',
    (name) => {
      expect(GUIDE).toContain(`\`\`\`js\n// ${name}\n${readFileSync(join(TOOLS, name), 'utf8')}\`\`\`\n`);
    },
  );

  test.each(['npx jest', 'npx vitest run'])('work in tests of `%s`', (command) => {
    expect(GUIDE).toContain(`\`${command}\``);
    // Each runs only its own tests.
    run('sh', '-c', `${command} ${command.split(' ')[1] ?? ''}/`);
  });

  test.each(['bun', 'deno run --allow-all'])('work with `%s`', (command) => {
    expect(GUIDE).toContain(`\`${command} `);
    for (const program of ['list.mjs', 'list.cjs']) {
      expect(JSON.parse(run('sh', '-c', `${command} ${program} ${daemon.address}`))).toEqual(LISTED);
    }
  });

  test('work in JavaScript with `try` and `finally` in this Node, and with `await using` in Node 24', () => {
    expect(JSON.parse(run(process.execPath, 'list.mjs', daemon.address))).toEqual(LISTED);
    const node = npmNode(installed.dir, '24');
    for (const program of ['list.mjs', 'list.cjs', 'using.mjs']) {
      expect(JSON.parse(run(node, program, daemon.address))).toEqual(LISTED);
    }
  });

  test('work in tests of jest in Node 24', () => {
    run(npmNode(installed.dir, '24'), 'node_modules/jest/bin/jest.js', 'jest/');
  });
});
