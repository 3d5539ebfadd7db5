import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { isComposite } from '../kind-words.js';
import { structSize } from '../print/struct-size.js';
import { resolveMember } from '../query/resolve-member.js';
import type { Spec } from '../spec.js';
import { kernels, readSpec } from '../testing/corpus.js';
import type { TypeId } from '../types.js';
import { membersContaining, membersPointingTo, type MemberUse } from './member-uses.js';

const [kernel] = kernels('kernels');

needs('pahole', 'debian-kernels').describe('in a kernel', () => {
  const vmlinux = kernel?.vmlinux ?? '';
  let spec: Spec;
  beforeAll(() => {
    spec = readSpec(vmlinux);
  });

  test.each([
    ['list_head', 700],
    ['hrtimer', 20],
    ['kobject', 30],
    ['wait_queue_head', 3],
    ['spinlock_t', 200],
  ])('the structs that contain %s are those of pahole, and others for a reason', (name, least) => {
    const [target = 0] = spec.idsByName(name);
    const theirs = new Set(pahole('--contains', name));
    expect(theirs.size).toBeGreaterThanOrEqual(least);
    const ours = [...membersContaining(spec, [target])];
    // pahole looks at the members of types with a name, and only for the very type.
    const alsoTheirs = ours.filter(
      (use) => use.name !== '' && use.memberTypeId === target && isOwnMember(spec, use),
    );
    expect(new Set(alsoTheirs.map((use) => use.name))).toEqual(theirs);
    expectPlaces(spec, ours);
  });

  test.each([
    ['task_struct', 90],
    ['page', 30],
    ['sk_buff', 50],
    ['net_device', 70],
    ['spinlock_t', 10],
  ])('the members that point to %s are those of pahole, and others for a reason', (name, least) => {
    const [target = 0] = spec.idsByName(name);
    const theirs = new Set(pahole('--find_pointers_to', name));
    expect(theirs.size).toBeGreaterThanOrEqual(least);
    const ours = [...membersPointingTo(spec, [target])];
    const alsoTheirs = ours.filter(
      (use) => isPointerTo(spec, use.memberTypeId, target) && isOwnMember(spec, use),
    );
    expect(new Set(alsoTheirs.map((use) => `${use.name}: ${use.path}`))).toEqual(theirs);
    expectPlaces(spec, ours);
  });

  test('the sizes and holes of all structs are those of pahole', () => {
    const theirs = new Set(pahole('--sizes'));
    const ours = new Set<string>();
    for (const id of spec.typeIds()) {
      if (!isComposite(spec.kindOf(id)) || spec.nameOf(id) === '') continue;
      const { size, holes } = structSize(spec, id);
      ours.add(`${spec.nameOf(id)}\t${size}\t${holes}`);
    }
    expect(ours.size).toBeGreaterThan(7000);
    expect([...ours].filter((line) => !theirs.has(line))).toEqual([]);
    expect([...theirs].filter((line) => !ours.has(line))).toEqual([]);
  });

  function pahole(...options: string[]): string[] {
    const output = execFileSync('pahole', ['-F', 'btf', ...options, vmlinux], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    return output.split('\n').filter((line) => line !== '');
  }
});

/** Whether a use is a member that a struct or union with a name declares itself, not one without a name within it. */
function isOwnMember(spec: Spec, { typeId, path, memberTypeId }: MemberUse): boolean {
  const type = spec.typeById(typeId);
  return (
    'members' in type && type.members.some((member) => member.name === path && member.typeId === memberTypeId)
  );
}

function isPointerTo(spec: Spec, id: TypeId, target: TypeId): boolean {
  const type = spec.typeById(id);
  return type.kind === 'PTR' && type.typeId === target;
}

/** Each path must lead to the member, for the function that resolves paths. */
function expectPlaces(spec: Spec, uses: readonly MemberUse[]): void {
  for (const { typeId, path, bitOffset, memberTypeId } of uses) {
    expect({ path, ...placeOf(spec, typeId, path) }).toEqual({ path, bitOffset, typeId: memberTypeId });
  }
}

function placeOf(spec: Spec, rootId: TypeId, path: string): { bitOffset: number; typeId: TypeId } {
  const { bitOffset, typeId } = resolveMember(spec, `${rootId}.${path}`);
  return { bitOffset, typeId };
}
