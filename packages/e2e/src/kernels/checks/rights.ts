import { expect } from '@jest/globals';
import type { Mode, Operation } from '@btfd/client';
import { intBtf } from '../../testing/sample-btf.js';
import type { Lab } from '../lab.js';
import { type Check, reasonOf } from './check.js';

/** CAP_BPF_ALONE is a command that runs another one as root with one capability. */
export const CAP_BPF_ALONE = '/opt/bin/setpriv --inh-caps=-all --bounding-set=-all,+bpf';

/** Rights are what a process has, and what the daemon can do with it. */
interface Rights {
  readonly what: string;
  readonly wrapper: string;
  readonly uid: number;
  readonly mode: Mode;
  readonly works: readonly Operation[];
}

/** The operations that depend on rights alone. */
const BASIC: ReadonlySet<Operation> = new Set(['load', 'open-by-id', 'list-ids', 'spec-by-name']);

const RIGHTS: readonly Rights[] = [
  {
    what: 'an ordinary user',
    uid: 1000,
    wrapper: '/opt/bin/setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --bounding-set=-all',
    mode: 'files',
    works: ['spec-by-name'],
  },
  {
    what: 'CAP_BPF alone',
    uid: 0,
    wrapper: CAP_BPF_ALONE,
    mode: 'load-and-files',
    works: ['load', 'spec-by-name'],
  },
  {
    what: 'CAP_BPF and CAP_SYS_ADMIN',
    uid: 0,
    wrapper: '/opt/bin/setpriv --inh-caps=-all --bounding-set=-all,+bpf,+sys_admin',
    mode: 'full',
    works: ['load', 'open-by-id', 'list-ids', 'spec-by-name'],
  },
];

/** RIGHTS_CHECKS are the checks of daemons with fewer rights than root. */
export const RIGHTS_CHECKS: readonly Check[] = RIGHTS.map(({ what, wrapper, uid, mode, works }) => ({
  title: `a daemon with the rights of ${what} serves ${works.join(', ')}`,
  from: 'host',
  run: async (lab: Lab) => {
    const daemon = await lab.startDaemon({ wrapper, uid, port: 1 });
    try {
      await using client = lab.client(daemon);
      const info = await client.serverInfo();
      const available = info.operations.filter((of) => of.available && BASIC.has(of.operation));
      expect([info.mode, available.map((of) => of.operation).toSorted()]).toEqual([
        mode,
        [...works].toSorted(),
      ]);
      const vmlinux = await lab.machine.sh('wc -c < /sys/kernel/btf/vmlinux');
      expect((await client.rawBtf('vmlinux')).length).toBe(Number(vmlinux));
      const load = await client.loadHandle(intBtf(1, 'rights')).catch((error: unknown) => error);
      if (works.includes('load')) expect(load).not.toBeInstanceOf(Error);
      else expect(reasonOf(load)).toBe('DAEMON_LACKS_CAPABILITY');
    } finally {
      await lab.endDaemon(daemon, 'KILL');
    }
  },
}));
