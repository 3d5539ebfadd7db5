// Fails if a public function throws and has no `@throws` in its doc comment. `pnpm reference` runs it.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { undocumentedThrows } from './undocumented-throws.js';

/** The modules that users import, by package. */
const ENTRIES = {
  'packages/btf': ['index.ts'],
  'packages/client': ['index.ts', 'fake-daemon/index.ts'],
  'packages/server': ['index.ts', 'certs/index.ts'],
  'packages/api': ['index.ts', 'grpc-js.ts'],
  native: ['index.ts'],
};

process.chdir(fileURLToPath(new URL('../../..', import.meta.url)));
const found = Object.entries(ENTRIES).flatMap(([folder, entries]) => {
  const { config }: { config?: unknown } = ts.readConfigFile(`${folder}/tsconfig.json`, (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  return entries.flatMap((entry) => undocumentedThrows(`${folder}/src/${entry}`, options));
});
for (const { place, name, calls } of found) {
  const through = calls.length === 0 ? '' : `, through ${calls.join(' → ')}`;
  console.error(`${place}: ${name} throws${through}: document it with @throws`);
}
if (found.length > 0) process.exitCode = 1;
