// Lists the faults in the doc comments of the public packages, and fails if there are any:
//
//     node packages/reference/dist/check-comments.js [FOLDER…]    # such as packages/btf; default: all
//
// A package's own typedoc.json names its modules; without one it is src/index.ts.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { undocumented } from './undocumented.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PACKAGES = ['packages/btf', 'packages/client', 'packages/server', 'packages/api', 'native'];

const asked = process.argv.slice(2);
for (const folder of asked.length > 0 ? asked : PACKAGES) {
  const path = join(ROOT, folder);
  const { config } = ts.readConfigFile(join(path, 'tsconfig.json'), (file) => readFileSync(file, 'utf8'));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, path);
  const misses = undocumented(
    modulesOf(path).map((module) => join(path, module)),
    options,
  );
  if (misses.length > 0) process.exitCode = 1;
  console.log(`${folder}: ${misses.length} faults in doc comments`);
  for (const { file, line, text } of misses) console.log(`  ${relative(ROOT, file)}:${line}: ${text}`);
}

function modulesOf(folder: string): string[] {
  const own = join(folder, 'typedoc.json');
  if (!existsSync(own)) return ['src/index.ts'];
  const { entryPoints }: { entryPoints: string[] } = JSON.parse(readFileSync(own, 'utf8'));
  return entryPoints;
}
