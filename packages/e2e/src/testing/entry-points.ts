import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledPackages } from './installed-packages.js';

/** EntryPoints are what users can import of the installed packages. */
export interface EntryPoints {
  readonly modules: readonly string[];
  readonly jsons: readonly string[];
}

/** entryPointsOf lists what `exports` of each package has. */
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

/** importAll is an ES module that imports everything, and prints how many things each has. */
export function importAll({ modules, jsons }: EntryPoints): string {
  const json = "{ with: { type: 'json' } }";
  return `
    const counts = {};
    for (const name of ${JSON.stringify(modules)}) counts[name] = Object.keys(await import(name)).length;
    for (const name of ${JSON.stringify(jsons)}) counts[name] = Object.keys((await import(name, ${json})).default).length;
    console.log(JSON.stringify(counts));`;
}

/** requireAll is a CommonJS module that does the same. */
export function requireAll({ modules, jsons }: EntryPoints): string {
  return `
    const counts = {};
    for (const name of ${JSON.stringify([...modules, ...jsons])}) counts[name] = Object.keys(require(name)).length;
    console.log(JSON.stringify(counts));`;
}

/** typesOfAll is TypeScript that is wrong where the types of an entry point are missing; an ES module, or CommonJS. */
export function typesOfAll({ modules }: EntryPoints, kind: 'mts' | 'cts'): string {
  const lines = modules.map((name, index) => {
    const imported = `m${index}`;
    const statement =
      kind === 'mts' ? `import * as ${imported} from '${name}'` : `import ${imported} = require('${name}')`;
    return `${statement};\nexport const known${index}: Known<typeof ${imported}> = ${imported};\n`;
  });
  return `type Known<T> = 0 extends 1 & T ? never : T;\n${lines.join('')}`;
}
