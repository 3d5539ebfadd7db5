import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { dumpFile, VMLINUX } from '../testing/bpftool.js';
import type { TypeId } from '../types.js';
import { MemberPathError } from './member-error.js';
import { resolveMember } from './resolve-member.js';

interface Struct {
  readonly id: TypeId;
  readonly kind: string;
  readonly name: string;
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[];
}

needs('vmlinux', 'bpftool').describe('structs of one name in the running kernel', () => {
  let spec: Spec;
  /** The structs and unions that bpftool prints, by name. */
  const byName = new Map<string, Struct[]>();

  beforeAll(() => {
    spec = Spec.parse(new Uint8Array(readFileSync(VMLINUX)));
    for (const line of dumpFile(VMLINUX)) {
      if (!line.includes('"kind":"STRUCT"') && !line.includes('"kind":"UNION"')) continue;
      const struct: Struct = JSON.parse(line);
      if (struct.name !== '(anon)') byName.set(struct.name, [...(byName.get(struct.name) ?? []), struct]);
    }
  });

  test('have the members that bpftool prints for each, or are reported with all of them', () => {
    const outcomes = { agreed: 0, ambiguous: 0 };
    for (const [name, structs] of byName) {
      if (structs.length === 1) continue;
      const members = new Set(
        structs.flatMap((struct) => struct.members?.map((member) => member.name) ?? []),
      );
      members.delete('(anon)');
      for (const member of members) {
        const theirs = structs.map(
          (struct) => struct.members?.find((one) => one.name === member)?.bits_offset ?? null,
        );
        for (const [i, { id }] of structs.entries()) {
          if (theirs[i] !== null)
            expect([id, resolveMember(spec, `${id}.${member}`).bitOffset]).toEqual([id, theirs[i]]);
        }
        const ours = placesOf(spec, `${name}.${member}`);
        if (typeof ours === 'number') {
          outcomes.agreed += 1;
          expect([name, member, new Set(theirs.filter((bits) => bits !== null))]).toEqual([
            name,
            member,
            new Set([ours]),
          ]);
        } else {
          outcomes.ambiguous += 1;
          expect([name, member, ours]).toEqual([name, member, structs.map(({ id }, i) => [id, theirs[i]])]);
        }
      }
    }
    // The kernels of Debian and of CI have a dozen such names.
    expect(outcomes.agreed).toBeGreaterThan(5);
    expect(outcomes.ambiguous).toBeGreaterThan(0);
  });
});

/** Returns the offset of a member, or that in each type of the name. */
function placesOf(spec: Spec, path: string): number | [id: TypeId, bits: number | null][] {
  try {
    return resolveMember(spec, path).bitOffset;
  } catch (error) {
    if (!(error instanceof MemberPathError)) throw error;
    return error.candidates.map(({ typeId, member }) => [typeId, member?.bitOffset ?? null]);
  }
}
