// Fails if a public function throws and has no `@throws` with the name of an error in its doc comment. `pnpm reference`
// runs it.
//
//     node packages/reference/dist/check-throws.js [FOLDER…]    # such as packages/btf; default: all public packages
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { undocumentedThrows } from './undocumented-throws.js';

const PACKAGES = [
  'packages/btf',
  'packages/client',
  'packages/fleet',
  'packages/server',
  'packages/api',
  'native',
];

process.chdir(fileURLToPath(new URL('../../..', import.meta.url)));
const asked = process.argv.slice(2);
const found = (asked.length > 0 ? asked : PACKAGES).flatMap((folder) => {
  const { config }: { config?: unknown } = ts.readConfigFile(`${folder}/tsconfig.json`, (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  return undocumentedThrows(
    entryPoints(folder).map((module) => join(folder, module)),
    options,
  );
});
for (const { place, name, fault } of found) console.error(`${place}: ${name} ${fault}`);
if (found.length > 0) process.exitCode = 1;

/** The public modules of a package, which its typedoc.json lists if there are several. */
function entryPoints(folder: string): string[] {
  const file = join(folder, 'typedoc.json');
  if (!existsSync(file)) return ['src/index.ts'];
  const options: { entryPoints: string[] } = JSON.parse(readFileSync(file, 'utf8'));
  return options.entryPoints;
}
