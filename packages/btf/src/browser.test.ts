import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const SOURCES = dirname(fileURLToPath(import.meta.url));

// The type checker cannot find these: it knows the names of Node, which the tests use.
test('no published source uses anything that a browser lacks', () => {
  const published = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('testing'),
  );
  expect(published.length).toBeGreaterThan(15);
  const foreign = published.filter((path) =>
    /\b(Buffer|process|require|setImmediate|__dirname)\b|'node:/.test(
      readFileSync(join(SOURCES, path), 'utf8'),
    ),
  );
  expect(foreign).toEqual([]);
});

const INDEX = fileURLToPath(new URL('../dist/index.js', import.meta.url));

// In a process of its own, because rolldown does not accept the RegExp of a jest environment.
const BUNDLE = `
  import { rolldown } from 'rolldown';
  const build = await rolldown({
    input: 'user.js',
    platform: 'browser',
    // The published package is one file: a bundler keeps the parts of it that may have side effects.
    treeshake: { moduleSideEffects: () => true },
    plugins: [
      {
        name: 'user',
        resolveId: (id) => (id === 'user.js' ? id : null),
        load: (id) => (id === 'user.js' ? "export { parseHeader } from '${INDEX}';" : null),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  console.log(output.map(({ code }) => code).join(''));
`;

test('a bundle has none of the tables that it does not use', () => {
  const code = execFileSync(process.execPath, ['--input-type=module', '--eval', BUNDLE], {
    cwd: SOURCES,
    encoding: 'utf8',
  });
  expect(code).toContain('function parseHeader');
  expect(code).not.toMatch(/kindTest|knownSizes|new TextDecoder/);
});
