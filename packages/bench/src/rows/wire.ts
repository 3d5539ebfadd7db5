import type { MessageInitShape } from '@bufbuild/protobuf';
import { BtfService, Encoding, type SpecRequestSchema } from '@btfd/api';
import { btfGetFdById, btfGetNextId, btfLoad, type BtfFd } from '@btfd/native';
import { encode, pathOf } from '../event-loop/caller.js';
import type { Lab } from '../peers/lab.js';
import { MissingPeerError } from '../peers/programs.js';
import type { OpenProbe, Row } from '../run/row.js';
import { tinyBtf, tinyFile } from './library.js';
import { onServers, type Load, type LoadOf } from './wire-probe.js';

const { iterateHandles, resolveMembers, spec } = BtfService.method;
const MIB = 1024 * 1024;
/** The kernel's own BTF is one more. */
const OBJECTS = 1_000;
const VMLINUX = { case: 'name', value: 'vmlinux' } as const;

/** vmlinuxId returns the BTF id of the kernel's own BTF. @throws MissingPeerError without the right to see it. */
export function vmlinuxId(): number {
  try {
    for (let id = btfGetNextId(0); id !== null; id = btfGetNextId(id)) {
      using object = btfGetFdById(id);
      if (object.info().name === 'vmlinux') return id;
    }
  } catch (error) {
    throw new MissingPeerError(`cannot read the kernel's objects: ${String(error)}`, { cause: error });
  }
  throw new MissingPeerError('the kernel has no object of its own BTF');
}

function specLoad(init: MessageInitShape<typeof SpecRequestSchema>, full: number, quick: number): LoadOf {
  const call = { path: pathOf(spec), request: encode(spec.input, { source: VMLINUX, ...init }) };
  return () => ({ scenario: 'stream', call, full, quick, window: 8 * MIB });
}

function closureOf(name: string, full: number, quick: number): LoadOf {
  return specLoad({ encoding: Encoding.TYPES, selection: { names: [name], closure: true } }, full, quick);
}

/** Returns the probes of a row, during which another process holds many objects. */
function amongObjects(loadOf: LoadOf): Record<string, OpenProbe> {
  const probes = onServers(loadOf);
  const objects: BtfFd[] = [];
  const withObjects: OpenProbe = async (lab) => {
    const rawBtf = tinyBtf();
    while (objects.length < OBJECTS) objects.push(await btfLoad(rawBtf, 0));
    const probe = await probes.btfd(lab);
    const close = async (): Promise<void> => {
      for (const object of objects.splice(0)) object.close();
    };
    return { ...probe, close };
  };
  return { ...probes, btfd: withObjects };
}

function getClose(inFlight: number): Row {
  const load: LoadOf = () => ({
    scenario: 'get-close',
    id: vmlinuxId(),
    inFlight,
    full: 6_000,
    // As many calls as it takes for the ratio to vary little: its bound holds whatever is recorded.
    quick: 4_000,
  });
  return {
    name: `wire/get-close-${inFlight}`,
    title: `get a handle and close it, ${inFlight} at once`,
    subjects: onServers(load),
    goals: [
      { metric: 'cpuUs', peer: 'bare', atMost: 1.4 },
      { metric: 'wallUs', peer: 'bare', atMost: 1.25 },
    ],
    guards: [{ metric: 'cpuUs', peer: 'bare', atMost: 3 }],
  };
}

function userTask(lab: Lab): Load {
  return { scenario: 'task', file: tinyFile(lab), full: 40, quick: 10 };
}

/** WIRE_ROWS compare the packed daemon with bare grpc-js that replays its messages, and with a service in Go. */
export const WIRE_ROWS: readonly Row[] = [
  getClose(1),
  getClose(16),
  getClose(64),
  {
    name: 'wire/resolve-members',
    title: '`ResolveMembers`, one path',
    subjects: onServers(() => ({
      scenario: 'unary',
      call: {
        path: pathOf(resolveMembers),
        request: encode(resolveMembers.input, { source: VMLINUX, paths: ['task_struct.mm'] }),
      },
      full: 4_000,
      quick: 1_000,
    })),
    goals: [
      { metric: 'wallUs', peer: 'bare', atMost: 1.3 },
      { metric: 'cpuUs', peer: 'bare', atMost: 2 },
    ],
    guards: [{ metric: 'cpuUs', peer: 'bare' }],
  },
  {
    name: 'wire/load-close',
    title: 'load tiny BTF and close it',
    subjects: onServers((lab) => ({ scenario: 'load-close', file: tinyFile(lab), full: 2_000, quick: 500 })),
    goals: [{ metric: 'wallUs', peer: 'bare', atMost: 1.67 }],
    guards: [{ metric: 'cpuUs', peer: 'bare' }],
  },
  {
    name: 'wire/spec-raw',
    title: '`Spec`, RAW of vmlinux',
    subjects: onServers(specLoad({ encoding: Encoding.RAW }, 40, 10)),
    goals: [{ metric: 'wallUs', peer: 'bare', atMost: 1 }],
    guards: [{ metric: 'cpuUs', peer: 'bare' }],
  },
  {
    name: 'wire/spec-types',
    title: '`Spec`, TYPES of vmlinux',
    subjects: onServers(specLoad({ encoding: Encoding.TYPES }, 6, 3)),
    goals: [{ metric: 'wallUs', peer: 'go', atMost: 0.5 }],
    guards: [{ metric: 'cpuUs', peer: 'go', atMost: 1 }],
  },
  {
    name: 'wire/spec-task-struct',
    title: '`Spec`, TYPES of `task_struct` with closure',
    subjects: onServers(closureOf('task_struct', 60, 15)),
    goals: [{ metric: 'wallUs', peer: 'go', atMost: 0.6 }],
    guards: [{ metric: 'cpuUs', peer: 'go' }],
  },
  {
    name: 'wire/spec-task-struct-first',
    title: 'the same, without kept responses',
    subjects: onServers(closureOf('task_struct', 60, 15), false),
    goals: [{ metric: 'wallUs', peer: 'go', atMost: 0.6 }],
    guards: [{ metric: 'cpuUs', peer: 'go' }],
  },
  {
    name: 'wire/spec-list-head',
    title: '`Spec`, TYPES of `list_head` with closure',
    subjects: onServers(closureOf('list_head', 600, 150)),
    goals: [{ metric: 'wallUs', peer: 'go', atMost: 3 }],
    guards: [{ metric: 'cpuUs', peer: 'bare' }],
  },
  {
    name: 'wire/iterate',
    title: `\`IterateHandles\` of ${OBJECTS.toLocaleString('en')} objects and those of the machine`,
    subjects: amongObjects(() => ({
      scenario: 'stream',
      call: { path: pathOf(iterateHandles), request: encode(iterateHandles.input, {}) },
      full: 50,
      quick: 15,
    })),
    goals: [{ metric: 'wallUs', peer: 'bare', atMost: 1.4 }],
    guards: [{ metric: 'cpuUs', peer: 'bare' }],
  },
  {
    name: 'wire/if-none-match',
    title: '`Spec` that the client already has',
    subjects: onServers((lab: Lab) => {
      const ifNoneMatch = { digest: lab.vmlinuxDigest() };
      return specLoad({ encoding: Encoding.RAW, ifNoneMatch }, 2_000, 500)(lab);
    }),
    goals: [{ metric: 'wallUs', peer: 'bare', atMost: 1.3 }],
    guards: [{ metric: 'cpuUs', peer: 'bare' }],
  },
  {
    name: 'task/user',
    title: 'connect, ask for ten members, get `task_struct` with closure, list, load and close',
    subjects: onServers(userTask),
    goals: [{ metric: 'wallUs', peer: 'go', atMost: 1 }],
    guards: [{ metric: 'cpuUs', peer: 'go' }],
  },
  {
    name: 'task/user-first',
    title: 'the same, without kept responses',
    subjects: onServers(userTask, false),
    goals: [{ metric: 'wallUs', peer: 'go', atMost: 1 }],
    guards: [{ metric: 'cpuUs', peer: 'go' }],
  },
];
