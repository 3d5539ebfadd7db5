import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledPackages } from './installed-packages.js';

/** EntryPoints are the names that users can import from the installed packages. */
export interface EntryPoints {
  readonly modules: readonly string[];
  readonly jsons: readonly string[];
}

/** entryPointsOf returns the entry points in `exports` of each package. */
export function entryPointsOf(installed: InstalledPackages): EntryPoints {
  const names = installed.manifests().flatMap(({ name, exports }) =>
    Object.keys(exports).flatMap((subpath) => {
      if (!subpath.endsWith('/*')) return [`${name}${subpath.slice(1)}`];
      const folder = `${name}${subpath.slice(1, -2)}`;
      return readdirSync(join(installed.project, 'node_modules', folder)).map((file) => `${folder}/${file}`);
    }),
  );
  return {
    modules: names.filter((name) => !name.endsWith('.json')),
    jsons: names.filter((name) => name.endsWith('.json')),
  };
}

/** importAll returns an ES module that imports each entry point, and prints how many exports each has. */
export function importAll({ modules, jsons }: EntryPoints): string {
  const json = "{ with: { type: 'json' } }";
  return `
    const counts = {};
    for (const name of ${JSON.stringify(modules)}) counts[name] = Object.keys(await import(name)).length;
    for (const name of ${JSON.stringify(jsons)}) counts[name] = Object.keys((await import(name, ${json})).default).length;
    console.log(JSON.stringify(counts));`;
}

/** requireAll returns a CommonJS module that does the same. */
export function requireAll({ modules, jsons }: EntryPoints): string {
  return `
    const counts = {};
    for (const name of ${JSON.stringify([...modules, ...jsons])}) counts[name] = Object.keys(require(name)).length;
    console.log(JSON.stringify(counts));`;
}

/** typesOfAll returns a TypeScript module that fails the type check if the types of an entry point are missing. */
export function typesOfAll({ modules }: EntryPoints, kind: 'mts' | 'cts'): string {
  const lines = modules.map((name, index) => {
    const imported = `m${index}`;
    const statement =
      kind === 'mts' ? `import * as ${imported} from '${name}'` : `import ${imported} = require('${name}')`;
    return `${statement};\nexport const known${index}: Known<typeof ${imported}> = ${imported};\n`;
  });
  return `type Known<T> = 0 extends 1 & T ? never : T;\n${lines.join('')}`;
}
