// Fails if a public function throws and has no `@throws` in its doc comment. `pnpm reference` runs it.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { undocumentedThrows } from './undocumented-throws.js';

const PACKAGES = ['packages/btf', 'packages/client', 'packages/server', 'packages/api', 'native'];

process.chdir(fileURLToPath(new URL('../../..', import.meta.url)));
const found = PACKAGES.flatMap((folder) => {
  const { config }: { config?: unknown } = ts.readConfigFile(`${folder}/tsconfig.json`, (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  return undocumentedThrows(`${folder}/src/index.ts`, options);
});
for (const { place, name, calls } of found) {
  const through = calls.length === 0 ? '' : `, through ${calls.join(' → ')}`;
  console.error(`${place}: ${name} throws${through}: document it with @throws`);
}
if (found.length > 0) process.exitCode = 1;
