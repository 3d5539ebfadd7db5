import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync } from 'node:fs';

/**
 * writeCpio writes the contents of a folder as an archive in the format of an initramfs. All files belong to root. The
 * kernel unpacks several archives in one file, one after the other.
 */
export function writeCpio(folder, target) {
  const names = readdirSync(folder, { recursive: true }).toSorted((a, b) => a.localeCompare(b));
  execFileSync('cpio', ['--quiet', '-o', '-H', 'newc', '-R', '0:0', '-O', `${target}.new`], {
    cwd: folder,
    input: names.join('\n'),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  renameSync(`${target}.new`, target);
}
