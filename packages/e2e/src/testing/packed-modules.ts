import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InstalledPackages } from './installed-packages.js';

function modulesOf(installed: InstalledPackages): string[] {
  return installed.files().filter((file) => /[.](c?js|d[.]ts)$/.test(file));
}

/** missingImports returns the relative imports of modules and declarations whose file is not in the package. */
export function missingImports(installed: InstalledPackages): string[] {
  return modulesOf(installed).flatMap((file) => {
    const imports = installed
      .text(file)
      .matchAll(/(?:from |import |import\(|require\()["']([.][^"']+[.]c?js)["']/g);
    return [...imports].flatMap(([, to = '']) => {
      const imported = file.endsWith('.d.ts') ? to.replace(/js$/, 'd.ts') : to;
      return existsSync(join(dirname(join(installed.scope, file)), imported)) ? [] : [`${file} → ${to}`];
    });
  });
}

/** namedMaps returns the files of the source maps that modules and declarations name. */
export function namedMaps(installed: InstalledPackages): string[] {
  return modulesOf(installed).flatMap((file) => {
    const [, map] = /^\/\/# sourceMappingURL=(.+)$/m.exec(installed.text(file)) ?? [];
    return map === undefined ? [] : [join(dirname(file), map)];
  });
}
