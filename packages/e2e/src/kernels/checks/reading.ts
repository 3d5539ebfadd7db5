import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import { Encoding } from '@btfd/api';
import { kernelFeaturesOf, layoutOf, type Layout } from '@btfd/btf';
import { compareC } from 'test-tools';
import { bpftoolJson } from '../../testing/bpftool-json.js';
import type { Lab } from '../lab.js';
import { cInside, dumpInside, listInside, type BpftoolType } from './bpftool-inside.js';
import { type Check, withoutKernelIds } from './check.js';

/** The number of modules whose BTF is compared. */
const MODULES = 20;
/** The structs per object of which all members are resolved. */
const STRUCTS = 25;
/** The number of paths that a daemon accepts in one request. */
const MAX_PATHS = 1000;
/** Fewer than the structs of any vmlinux. */
const LEAST_STRUCTS = 5000;

/** READING are the checks of reading BTF, of vmlinux and of at least 20 modules, against bpftool in the machine. */
export const READING: readonly Check[] = [
  {
    title: 'the server info has the release, and the features that the table of kernels names',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const { kernelRelease, kernelFeatures, mode, machine } = await client.serverInfo();
      const { release } = lab.machine.kernel;
      expect({ kernelRelease, mode, machine }).toEqual({
        kernelRelease: release,
        mode: 'full',
        machine: 'x86_64',
      });
      const [major = 0, minor = 0] = release.split('.').map(Number);
      const backports = Object.fromEntries(lab.facts.backports.map((name) => [name, true]));
      expect(kernelFeatures).toEqual({ ...kernelFeaturesOf(major, minor), ...backports });
    },
  },
  {
    title: 'the BTF of the kernel has an id after the boot, before anything asks for it',
    from: 'inside',
    except: withoutKernelIds,
    run: async (lab) => {
      const vmlinux = (await listInside(lab.machine)).find(({ name }) => name === 'vmlinux');
      expect(vmlinux?.id).toBe(lab.firstIdAtBoot);
    },
  },
  {
    title: 'the list has the objects of bpftool, with names and sizes',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await loadModules(lab);
      await using client = lab.client();
      const theirs = (await listInside(lab.machine)).map(({ id, name, size, kernel }) => ({
        id,
        name: name ?? '',
        size,
        isKernel: kernel ?? false,
      }));
      const ours = (await client.listObjects()).map(({ id, name, size, isKernel }) => ({
        id,
        name,
        size,
        isKernel,
      }));
      expect(theirs.length).toBeGreaterThan(MODULES);
      expect(ours).toEqual(theirs);
    },
  },
  {
    title: 'a handle of each object has the id, the name, the size and the digest of its file',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using client = lab.client();
      const sums = await digestsInside(lab);
      for (const { id, name } of (await listInside(lab.machine)).filter((object) => object.kernel === true)) {
        await using handle = await client.getHandleById(id);
        const { info } = await handle.inspect({ details: ['digest'] });
        expect({ name: info.name, digest: info.digest, isModule: info.isModule }).toEqual({
          name,
          digest: sums.get(name ?? ''),
          isModule: name !== 'vmlinux',
        });
      }
    },
  },
  {
    title: 'RAW is byte for byte the file in /sys/kernel/btf',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const sums = await digestsInside(lab);
      expect(sums.size).toBeGreaterThan(lab.facts.kernelIds ? MODULES : 0);
      for (const [name, sum] of sums) {
        const bytes = await client.rawBtf(name);
        expect([name, createHash('sha256').update(bytes).digest('hex')]).toEqual([name, sum]);
      }
    },
  },
  {
    title: 'TYPES are the types of bpftool',
    from: 'host',
    run: async (lab) => {
      using client = lab.rawClient();
      for (const name of await compared(lab)) {
        const theirs = await dumpInside(lab.machine, name);
        const ours: object[] = [];
        const stream = client.stream('spec', {
          source: { case: 'name', value: name },
          encoding: Encoding.TYPES,
        });
        for await (const { part } of stream) {
          if (part.case === 'types') ours.push(...part.value.types.map(bpftoolJson));
        }
        expect([name, ours.length]).toEqual([name, theirs.length]);
        // One comparison of 100,000 types takes a minute if it fails.
        const at = ours.findIndex((type, i) => JSON.stringify(type) !== JSON.stringify(theirs[i]));
        expect([name, ours[at]]).toEqual([name, theirs[at]]);
      }
    },
  },
  {
    title: 'C is the C of bpftool',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const names = await compared(lab);
      // Each has the C of vmlinux too, because its types refer to it.
      for (const name of lab.isBrief ? names.slice(0, 3) : names) {
        const theirs = await cInside(lab.machine, name);
        const { unexplained } = compareC(await client.cHeader(name), theirs);
        expect([name, unexplained]).toEqual([name, []]);
      }
    },
  },
  {
    title: 'the layouts of structs have the sizes and offsets of bpftool',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      let count = 0;
      for (const name of await compared(lab)) {
        const theirs = (await dumpInside(lab.machine, name)).filter(({ kind }) => kind === 'STRUCT');
        const spec = await client.spec(name);
        const ours = theirs.map(({ id }) => layoutPlaces(layoutOf(spec, id)));
        count += theirs.length;
        const at = theirs.findIndex((type, i) => !isDeepStrictEqual(ours[i], bpftoolPlaces(type)));
        const differs = theirs[at];
        expect([name, ours[at]]).toEqual([name, differs && bpftoolPlaces(differs)]);
      }
      expect(count).toBeGreaterThan(LEAST_STRUCTS);
    },
  },
  {
    title: 'member paths resolve to the offsets of bpftool',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const vmlinux = await dumpInside(lab.machine, 'vmlinux');
      for (const name of await compared(lab)) {
        const places = memberPlaces(await dumpInside(lab.machine, name), name === 'vmlinux' ? [] : vmlinux);
        const results = await client.resolveMembers(
          name,
          places.map(({ path }) => path),
        );
        const ours = results.map((result) => (result.member === null ? result : result.member.bitOffset));
        expect([name, ours]).toEqual([name, places.map(({ bits }) => bits)]);
      }
    },
  },
];

/** Loads all modules of the machine that the kernel accepts. */
async function loadModules({ machine }: Lab): Promise<void> {
  await machine.sh(`for m in ${machine.kernel.modules.join(' ')}; do modprobe $m 2>/dev/null; done; true`);
}

/** The digests that `digestsInside` has returned. The checks of this file load and remove no module. */
const digests = new WeakMap<Lab, Promise<Map<string, string>>>();

/** Loads all modules, and returns the SHA-256 of each file in /sys/kernel/btf. */
async function digestsInside(lab: Lab): Promise<Map<string, string>> {
  const sums = digests.get(lab) ?? readDigests(lab);
  digests.set(lab, sums);
  return sums;
}

async function readDigests(lab: Lab): Promise<Map<string, string>> {
  await loadModules(lab);
  const lines = (await lab.machine.sh('cd /sys/kernel/btf && sha256sum *')).split('\n');
  return new Map(lines.map((line) => line.split(/ +/)).map(([sum = '', name = '']) => [name, sum]));
}

/** Returns vmlinux and the modules that are compared. */
async function compared(lab: Lab): Promise<string[]> {
  const names = [...(await digestsInside(lab)).keys()].filter((name) => name !== 'vmlinux');
  if (lab.facts.kernelIds) expect(names.length).toBeGreaterThanOrEqual(MODULES);
  return ['vmlinux', ...names.slice(0, MODULES)];
}

/** Returns the members of the first structs whose name occurs once, also in the base, with their offsets. */
function memberPlaces(
  types: readonly BpftoolType[],
  base: readonly BpftoolType[],
): { path: string; bits: number }[] {
  const times = new Map<string, number>();
  for (const { name } of [...types, ...base]) times.set(name, (times.get(name) ?? 0) + 1);
  const structs = types.filter(({ kind, name }) => kind === 'STRUCT' && name !== '(anon)');
  const isRepeated = ({ name }: BpftoolType): boolean => times.get(name) !== 1;
  const unique = structs.filter((struct) => !isRepeated(struct)).slice(0, STRUCTS);
  const repeated = structs.filter(isRepeated).slice(0, STRUCTS);
  // A name that several structs have does not say which of them is meant, but an id does.
  const places = [...unique, ...repeated].flatMap((struct) =>
    (struct.members ?? [])
      .filter(({ name }) => name !== '(anon)')
      .map(({ name, bits_offset: bits }) => ({
        path: `${isRepeated(struct) ? struct.id : struct.name}.${name}`,
        bits,
      })),
  );
  return places.slice(0, MAX_PATHS);
}

/** Places are the size of a struct, and the name and first bit of its direct members. */
type Places = readonly [size: number, members: readonly (readonly [name: string, bit: number])[]];

function layoutPlaces({ size, rows }: Layout): Places {
  const direct = rows.filter((row) => row.depth === 1);
  return [
    size,
    direct.flatMap((row) => {
      if (row.row === 'member') return [[row.name, row.offset * 8 + row.bitOffset] as const];
      return row.row === 'close' ? [[row.name, row.offset * 8] as const] : [];
    }),
  ];
}

function bpftoolPlaces({ size = 0, members = [] }: BpftoolType): Places {
  return [size, members.map(({ name, bits_offset: bits }) => [name === '(anon)' ? '' : name, bits] as const)];
}
