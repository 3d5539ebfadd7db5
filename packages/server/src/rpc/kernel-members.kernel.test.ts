import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { Spec } from '@btfd/btf';
import { needs } from 'test-tools';
import { seeded, type Random } from 'test-tools/random';
import { resolveSteps } from '../jobs/resolve-job.js';
import { SpecCache } from '../jobs/spec-cache.js';
import { LoadedBtf } from '../source/loaded-btf.js';
import { KernelBtf } from './kernel-btf.js';
import { KernelMembers } from './kernel-members.js';

const CALLS = 1_500;

/** Returns a path that starts with the name of a struct and mostly follows its members. */
function randomPath(spec: Spec, structs: readonly number[], random: Random): string {
  let type = spec.typeById(structs[random(structs.length)] ?? 0);
  let path = type.name;
  for (let steps = random(5); steps >= 0; steps--) {
    if (type.kind === 'STRUCT' || type.kind === 'UNION') {
      const named = type.members.filter(({ name }) => name !== '');
      const member = named[random(named.length)];
      if (member === undefined) return path;
      path += `.${member.name}`;
      type = spec.typeById(member.typeId);
    } else if (type.kind === 'ARRAY') {
      path += `[${random(4)}]`;
      type = spec.typeById(type.typeId);
    } else if ('typeId' in type) {
      type = spec.typeById(type.typeId);
    } else {
      return path;
    }
  }
  return path;
}

needs('vmlinux').describe('Members of the running kernel', () => {
  let btf: LoadedBtf;
  let spec: Spec;
  let structs: number[];

  beforeAll(async () => {
    btf = await LoadedBtf.of(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')));
    spec = Spec.parse(btf.bytes);
    structs = [...spec.types()].flatMap(({ kind, name, id }) =>
      kind === 'STRUCT' && name !== '' ? [id] : [],
    );
  });

  test('are the same bytes from the event loop and from a worker', async () => {
    const random = seeded(1);
    const specs = new SpecCache(1 << 30);
    const kernelBtf = new KernelBtf(Infinity);
    const members = new KernelMembers(kernelBtf);
    await kernelBtf.prepare(btf);
    let here = 0;
    for (let call = 0; call < CALLS; call++) {
      const paths = Array.from({ length: random(5) }, () => randomPath(spec, structs, random));
      const wire = members.resolve(btf, paths);
      if (wire === null) continue;
      here += 1;
      const job = { name: 'resolve', btf: btf.shared, base: null, paths, digest: btf.digest } as const;
      const byJob = [...resolveSteps(job, specs)].find((item) => item !== null);
      expect([paths, Buffer.from(wire)]).toEqual([paths, Buffer.from(byJob ?? [])]);
    }
    expect(here).toBeGreaterThan(CALLS / 2);
  });

  test('are resolved on the event loop, for the structs that programs read most', async () => {
    const kernelBtf = new KernelBtf();
    const members = new KernelMembers(kernelBtf);
    await kernelBtf.prepare(btf);
    for (const paths of [
      ['task_struct.mm.pgd', 'task_struct.pid', 'task_struct.comm[3]', 'task_struct.se.vruntime'],
      ['sk_buff.len', 'sock.__sk_common.skc_daddr', 'net_device.name', 'file.f_inode.i_ino'],
    ]) {
      expect([paths, members.resolve(btf, paths) !== null]).toEqual([paths, true]);
    }
  });
});
