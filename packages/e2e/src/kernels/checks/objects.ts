import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { checkObject, findBpfObjects, parseBpfObject, Spec, type Verdict, VERDICTS } from '@btfd/btf';
import { PINNED_PROGRAMS } from 'test-tools/pinned-objects';
import type { Lab } from '../lab.js';
import type { Machine } from '../machine.js';
import { type Check, withoutKernelIds } from './check.js';

/** Harmless verdicts, for which a kernel cannot lack anything. */
const HARMLESS = new Set<Verdict | null>(VERDICTS.slice(0, VERDICTS.indexOf('UNKNOWN')));

/** Messages of libbpf and the verifier about something that the kernel lacks and that BTF shows. */
const LACKING =
  /failed to resolve CO-RE relocation|not found in kernel|invalid func unknown|failed to find kernel BTF type ID/;

const PROGRAMS = new URL('../../../../../.cache/objects/libbpf-tools/', import.meta.url);

/** Its source says what its programs need of modules. */
const MODULE_USER = new URL('../../../testdata/modules/module-user.bpf.o', import.meta.url);

/** Removes the modules that the object needs. Other checks have loaded modules that use them, which go first. */
const WITHOUT_MODULES = `
  remove() {
    for holder in /sys/module/$1/holders/*; do
      if [ -e "$holder" ]; then remove "\${holder##*/}"; fi
    done
    if [ -e /sys/module/$1 ]; then rmmod "$1"; fi
  }
  remove tun && remove nf_conntrack`;

/** OBJECTS are the checks of verdicts about BPF objects: libbpf loads the objects in the machine. */
export const OBJECTS: readonly Check[] = [
  {
    title: 'the verdicts on objects of Debian’s programs are those of libbpf, which loads them',
    from: 'inside',
    run: async ({ machine }) => {
      const kernel = Spec.parse(new Uint8Array(await machine.read('/sys/kernel/btf/vmlinux')));
      const options = { kernelVersion: versionOf(machine) };
      let loaded = 0;
      for (const name of PINNED_PROGRAMS) {
        const [bytes] = findBpfObjects(readFileSync(new URL(name, PROGRAMS))).map((found) => found.bytes);
        if (bytes === undefined) throw new Error(`no object in ${name}`);
        const [load] = await loadInside(machine, bytes, ['']);
        const { verdict } = checkObject(parseBpfObject(bytes), { kernel }, options);
        const lacking = LACKING.exec(load?.log ?? '')?.[0] ?? null;
        const isRight =
          load?.isLoaded === true ? verdict !== 'FAILS' : !HARMLESS.has(verdict) || lacking === null;
        expect([name, verdict, load?.isLoaded, lacking, isRight]).toEqual([
          name,
          verdict,
          load?.isLoaded,
          lacking,
          true,
        ]);
        if (load?.isLoaded === true) loaded += 1;
      }
      expect(loaded).toBeGreaterThan(0);
    },
  },
  {
    title: 'a program that needs a function, a kfunc or a struct of a module fits while the module is loaded',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      const object = readFileSync(MODULE_USER);
      const before = (await lab.machine.sh("cut -d ' ' -f 1 /proc/modules")).trim().split('\n');
      await lab.machine.sh(WITHOUT_MODULES);
      expect(await fits(lab, object)).toEqual({ attach: false, call: false, read: false });
      await lab.machine.sh('modprobe tun && modprobe nf_conntrack');
      expect(await fits(lab, object)).toEqual({ attach: true, call: true, read: true });
      await lab.machine.sh(`for name in ${before.join(' ')}; do modprobe $name 2>/dev/null; done; true`);
    },
  },
];

/** Returns which programs of an object fit by the daemon's verdict. Expects that just these can be loaded. */
async function fits(lab: Lab, object: Uint8Array): Promise<Record<string, boolean>> {
  await using client = lab.client();
  const { programs } = await client.checkObject(object, { timeout: 600_000 });
  const names = programs.map(({ name }) => name);
  const loads = await loadInside(lab.machine, object, names);
  const verdicts = programs.map(({ name, verdict }) => [name, HARMLESS.has(verdict)] as const);
  const loaded = names.map((name, i) => [name, loads[i]?.isLoaded] as const);
  expect(verdicts).toEqual(loaded);
  return Object.fromEntries(verdicts);
}

interface Load {
  readonly isLoaded: boolean;
  readonly log: string;
}

/** Loads an object in the machine once for each of some programs, or with the default ones for an empty name. */
async function loadInside(machine: Machine, object: Uint8Array, names: readonly string[]): Promise<Load[]> {
  const path = '/tmp/object.bpf.o';
  await machine.write(path, object);
  const args = names.flatMap((name) => [path, `'${name}'`]);
  const [, ...logs] = (await machine.sh(`load-programs ${args.join(' ')}`)).split('\f');
  return logs.map((log) => ({ isLoaded: /^result 0$/m.test(log), log }));
}

/** The version as in `LINUX_KERNEL_VERSION`, which libbpf takes from the version of Debian's package. */
function versionOf({ kernel: { version } }: Machine): number {
  const [, major = '0', minor = '0', patch = '0'] = /^(\d+)[.](\d+)[.](\d+)/.exec(version) ?? [];
  return (Number(major) << 16) | (Number(minor) << 8) | Math.min(Number(patch), 255);
}
