import { expect, test } from '@jest/globals';
import { whyUnsafe } from './safe-folder.js';

const OWN = 1_000;

test.each<[string, { uid: number; gid: number; mode: number }, string | null]>([
  ['one’s own', { uid: OWN, gid: OWN, mode: 0o750 }, null],
  ['root’s', { uid: 0, gid: 0, mode: 0o755 }, null],
  ['that root’s group may change', { uid: OWN, gid: 0, mode: 0o770 }, null],
  ['where nobody may replace what is another’s', { uid: 0, gid: 0, mode: 0o1777 }, null],
  ['as Kubernetes makes an emptyDir', { uid: 0, gid: OWN, mode: 0o2777 }, 'is writable by every user'],
  ['as Kubernetes makes an emptyDir, with chmod +t', { uid: 0, gid: OWN, mode: 0o3777 }, null],
  ['another user’s', { uid: 1_001, gid: OWN, mode: 0o700 }, 'belongs to another user (uid 1001)'],
  [
    'another user’s, as of /tmp',
    { uid: 1_001, gid: OWN, mode: 0o1777 },
    'belongs to another user (uid 1001)',
  ],
  ['that a group may change', { uid: OWN, gid: OWN, mode: 0o770 }, 'is writable by its group (gid 1000)'],
  ['that everybody may change', { uid: 0, gid: 0, mode: 0o757 }, 'is writable by every user'],
])('A folder %s', (_, folder, why) => {
  expect(whyUnsafe(folder, OWN)?.startsWith(why ?? '') ?? null).toBe(why === null ? null : true);
});

test('Root may use the folder of any user', () => {
  expect(whyUnsafe({ uid: 1_001, gid: 1_001, mode: 0o750 }, 0)).toBeNull();
});
