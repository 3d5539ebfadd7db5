import { readFileSync } from 'node:fs';

/**
 * findGroup is the number of a group, given by number or by its name in `/etc/group`.
 *
 * @throws Error if there is no such group.
 */
export function findGroup(text: string, file = '/etc/group'): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === text && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  }
  throw new Error(`${file} has no group ${JSON.stringify(text)}`);
}
