import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));

/** The name of the room that all files directly in src form. */
const ROOT = '(root)';

/**
 * The rooms of each package, from the bottom up. A room is a first-level folder of src. It imports only rooms before it
 * in the list.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  server: [
    'error base auth config quota grpc kernel listen handle pool select',
    `source users watch rpc observe ${ROOT} certs program jobs`,
  ].flatMap((rooms) => rooms.split(' ')),
  client: `base error call btf object lease ${ROOT} contexts fake-daemon fd`.split(' '),
  fleet: `base source etcd kubernetes pace survey watch ask question ${ROOT} contexts`.split(' '),
  cli: `error output diff source config grammar session completion layout find compat fleet command start ${ROOT}`.split(
    ' ',
  ),
  bench: `fleet event-loop peers run rows report ${ROOT}`.split(' '),
  // The files in src are a facade over these rooms, and the rooms use them too.
  btf: 'decode build query uses elf ext object core min-btf reach print diff value kernel check validate'.split(
    ' ',
  ),
};

/** The rooms that code on worker threads may import. */
const JOBS_IMPORT = ['base', 'error', 'pool', 'select'];

interface Import {
  readonly from: string;
  readonly to: string;
  /** For example `rpc/spec.ts imports grpc/rpc.ts`. */
  readonly text: string;
}

function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : ROOT;
}

/** Returns the imports from one room of a package to another, except those of tests and their tools. */
function importsOf(name: string): Import[] {
  const src = join(PACKAGES, name, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !isTesting(file),
  );
  return files.flatMap((file) =>
    relativeImports(readFileSync(join(src, file), 'utf8')).flatMap((path) => {
      const to = relative(src, resolve(src, dirname(file), path)).replace(/\.js$/, '.ts');
      const isOwn = to.startsWith('..') || isTesting(to) || roomOf(to) === roomOf(file);
      return isOwn ? [] : [{ from: roomOf(file), to: roomOf(to), text: `${file} imports ${to}` }];
    }),
  );
}

function isTesting(file: string): boolean {
  return /(^|\/)testing\//.test(file);
}

/** Returns the relative paths after `from`, in `import()`, in `import '…'` and in `new URL()`. */
function relativeImports(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport\s*\(|^import|\bnew URL\()\s*'(\.{1,2}\/[^']+)'/gm)].map(
    ([, path = '']) => path,
  );
}

/** Returns the rooms that can be reached from each room. */
function reachable(imports: readonly Import[]): Map<string, Set<string>> {
  const reached = new Map<string, Set<string>>();
  const visit = (room: string, seen: Set<string>): Set<string> => {
    for (const { from, to } of imports) {
      if (from !== room || seen.has(to)) continue;
      seen.add(to);
      visit(to, seen);
    }
    return seen;
  };
  for (const { from } of imports) reached.set(from, reached.get(from) ?? visit(from, new Set()));
  return reached;
}

describe.each(Object.entries(ROOMS))('In %s', (name, rooms) => {
  const imports = importsOf(name).filter(
    ({ from, to }) => rooms.includes(ROOT) || (from !== ROOT && to !== ROOT),
  );

  test('the list names exactly the rooms', () => {
    const folders = readdirSync(join(PACKAGES, name, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
      .map((entry) => entry.name);
    expect(rooms.filter((room) => room !== ROOT).toSorted()).toEqual(folders.toSorted());
  });

  test('no two rooms import each other, directly or indirectly', () => {
    const reached = reachable(imports);
    const inRing = imports.filter(({ from, to }) => reached.get(to)?.has(from) === true);
    expect(inRing.map(({ text }) => text)).toEqual([]);
  });

  test('imports point down the list', () => {
    const upward = imports.filter(({ from, to }) => rooms.indexOf(to) >= rooms.indexOf(from));
    expect(upward.map(({ text }) => text)).toEqual([]);
  });
});

/** The only file on the event loop that decodes BTF: that of vmlinux, for a little work. See ARCHITECTURE.md. */
const DECODES_BTF = ['rpc/kernel-btf.ts'];

test('Of the server, only jobs/ and the one exception parse BTF', () => {
  const src = join(PACKAGES, 'server/src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !isTesting(file),
  );
  const parsing = files.filter((file) => /\bSpec\.parse\(/.test(readFileSync(join(src, file), 'utf8')));
  expect(parsing.filter((file) => roomOf(file) !== 'jobs').toSorted()).toEqual(DECODES_BTF);
});

describe('jobs/ of the server', () => {
  const imports = importsOf('server');

  test('is imported by nothing on the event loop', () => {
    expect(imports.filter(({ to }) => to === 'jobs').map(({ text }) => text)).toEqual([]);
  });

  test(`imports ${JOBS_IMPORT.join(', ')} only`, () => {
    const others = imports.filter(({ from, to }) => from === 'jobs' && !JOBS_IMPORT.includes(to));
    expect(others.map(({ text }) => text)).toEqual([]);
  });
});
