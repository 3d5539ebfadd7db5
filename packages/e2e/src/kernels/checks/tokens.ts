import { expect } from '@jest/globals';
import type { Operation } from '@btfd/client';
import { intBtf } from '../../testing/sample-btf.js';
import type { KernelFacts } from '../kernel-table.js';
import type { Lab } from '../lab.js';
import { type Check, reasonOf } from './check.js';
import { CAP_BPF_ALONE } from './rights.js';

/** The folder where a daemon sees its bpffs. */
const FOLDER = '/tmp/bpf-token';
/** The first object that the kernel loads is its own BTF. */
const VMLINUX_ID = 1;
/** The bits of BPF_BTF_LOAD, and of it and BPF_BTF_GET_FD_BY_ID, in the option `delegate_cmds` of a bpffs. */
const LOAD = '0x40000';
const LOAD_AND_OPEN = '0xc0000';

/** Delegation is what a daemon in a user namespace gets. */
interface Delegation {
  readonly what: string;
  readonly commands: string;
  /** The command that runs the daemon in the user namespace. */
  readonly inside: string;
  /** Why objects cannot be opened by id, on kernels that take tokens for that. null if they can. */
  readonly whyNotOpen: string | null;
}

const DELEGATIONS: readonly Delegation[] = [
  { what: 'loads and opens', commands: LOAD_AND_OPEN, inside: '', whyNotOpen: null },
  {
    what: 'loads alone',
    commands: LOAD,
    inside: '',
    whyNotOpen: 'does not delegate BPF_BTF_GET_FD_BY_ID: mount it with delegate_cmds=0xc0000',
  },
  {
    what: 'loads and opens to a daemon with CAP_BPF alone',
    commands: LOAD_AND_OPEN,
    inside: CAP_BPF_ALONE,
    whyNotOpen: 'lacks CAP_SYS_ADMIN in its user namespace',
  },
];

/** The operations that depend on rights. */
const OPERATIONS: ReadonlySet<Operation> = new Set(['load', 'open-by-id', 'list-ids', 'hold-kernel']);

/** TOKENS are the checks of a daemon in a user namespace with a bpffs that delegates commands of bpf(2) to it. */
export const TOKENS: readonly Check[] = [
  ...DELEGATIONS.map(delegationCheck),
  {
    title: 'a daemon does not start with a BPF token that delegates too little, and says what to mount',
    from: 'inside',
    except: withoutTokens,
    run: async (lab) => {
      for (const [commands, message] of [
        ['0', 'delegates nothing: mount it with delegate_cmds=0x40000'],
        ['0x1', 'does not delegate BPF_BTF_LOAD: mount it with delegate_cmds=0x40000'],
      ] as const) {
        await expect(startWith(lab, commands)).rejects.toThrow(message);
      }
    },
  },
  {
    title: 'a daemon does not start with a BPF token on a kernel that has none, and says so',
    from: 'inside',
    except: ({ tokens }) => (tokens === 'none' ? null : 'the kernel has BPF tokens'),
    run: async (lab) => {
      await expect(lab.startDaemon({ args: '--bpf-token /sys/fs/bpf', port: 1 })).rejects.toThrow(
        'the kernel has no BPF tokens (Linux 6.9 has)',
      );
    },
  },
];

function delegationCheck({ what, commands, inside, whyNotOpen }: Delegation): Check {
  return {
    title: `a BPF token that delegates ${what} is good for what the kernel and the rights allow`,
    from: 'host',
    except: withoutTokens,
    run: async (lab) => {
      const opens = lab.facts.tokens === 'load and open' && whyNotOpen === null;
      const reason = lab.facts.tokens === 'load' ? 'Linux 6.15 does' : (whyNotOpen ?? '');
      const daemon = await startWith(lab, commands, inside);
      try {
        await using client = lab.client(daemon);
        await using privileged = lab.client();
        const info = await client.serverInfo();
        expect(info.mode).toBe('load-and-files');
        expect(info.kernelFeatures).toEqual((await privileged.serverInfo()).kernelFeatures);
        const operations = info.operations.filter(({ operation }) => OPERATIONS.has(operation));
        const available = operations.filter((of) => of.available).map((of) => of.operation);
        expect(available.toSorted()).toEqual(opens ? ['load', 'open-by-id'] : ['load']);
        const why = new Map(operations.map((of) => [of.operation, of.reason]));
        expect(why.get('list-ids')).toContain('takes no BPF token for BPF_BTF_GET_NEXT_ID');
        expect(why.get('open-by-id') ?? '').toContain(reason);

        await using loaded = await client.loadHandle(intBtf(1, 'token'));
        expect(loaded.info.size).toBe(intBtf(1, 'token').length);
        const opened = await client.getHandleById(VMLINUX_ID).catch((error: unknown) => error);
        if (opens) expect(opened).toMatchObject({ info: { id: VMLINUX_ID, name: 'vmlinux' } });
        else expect(reasonOf(opened)).toMatch(/^(?:KERNEL_LACKS_SUPPORT|DAEMON_LACKS_CAPABILITY)$/);
        const listed = await client.listObjects({ nameGlobs: ['vmlinux'] });
        expect(listed.map(({ id, name }) => [id, name])).toEqual([[0, 'vmlinux']]);
      } finally {
        await lab.endDaemon(daemon, 'KILL');
      }
    },
  };
}

async function startWith(lab: Lab, commands: string, inside = ''): ReturnType<Lab['startDaemon']> {
  await lab.machine.sh(`mkdir -p ${FOLDER}`);
  const wrapper = `/opt/bin/delegated-bpffs ${FOLDER} ${commands} ${inside}`;
  return lab.startDaemon({ wrapper, args: `--bpf-token ${FOLDER}`, port: 1 });
}

function withoutTokens({ tokens }: KernelFacts): string | null {
  return tokens === 'none' ? 'the kernel has no BPF tokens' : null;
}
