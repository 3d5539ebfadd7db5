import { BtfReadError } from '../../format-error.js';
import type { BpfObject } from '../../object/bpf-object.js';
import { followed } from '../../query/follow.js';
import { essentialName } from '../../query/flavours.js';
import { resolveId } from '../../query/resolve.js';
import { sizeof } from '../../query/sizeof.js';
import { sizeOrTypeIdOf, type Spec } from '../../spec.js';
import { Kind, type Member, type Struct, type TypeId } from '../../types.js';
import { type FoundType, type KernelObjects } from '../kernel-objects.js';
import type { NearNames } from '../near-names.js';
import type { Need } from '../report.js';
import type { StructOpsMap, StructOpsMember } from '../struct-ops-maps.js';
import { FITS, need } from './need.js';

/** The prefix of the kernel's struct around each struct of functions. */
const PREFIX = 'bpf_struct_ops_';

/**
 * structOpsNeeds returns what the struct_ops maps of an object need: a struct of functions that the kernel lets programs
 * implement, and each member that has a value or that the kernel lacks. Modelled on `bpf_map__init_kern_struct_ops` of
 * libbpf.
 */
export function structOpsNeeds(
  object: BpfObject,
  maps: readonly StructOpsMap[],
  kernel: KernelObjects,
  near: NearNames,
): Need[] {
  const made = maps.filter(({ autocreate }) => autocreate);
  const needs = made.flatMap((map) => needsOfMap(object, map, kernel, near));
  // Several maps may be of the same struct.
  return [...new Map(needs.map((own) => [`${own.name} ${own.verdict} ${own.reason}`, own])).values()];
}

function needsOfMap(
  { spec: local }: BpfObject,
  map: StructOpsMap,
  kernel: KernelObjects,
  near: NearNames,
): Need[] {
  const name = essentialName(map.structName);
  const fails = (reason: string, others: readonly string[] = []): Need[] => [
    need('STRUCT_OPS', name, ['FAILS', reason], { near: others }),
  ];
  const around = kernel.find(PREFIX + name, 'STRUCT');
  if (around === null)
    return fails(
      `no object of the kernel has a struct ${PREFIX}${name}: programs cannot implement it`,
      near.ofType('STRUCT', name, PREFIX),
    );
  const { spec } = around;
  // Split BTF may have the one and its base the other.
  const structId = spec.idsByName(name).find((id) => spec.kindOf(id) === Kind.STRUCT);
  if (structId === undefined) return fails(`${around.name} has no struct ${name}`);
  const wrapper = spec.typeById(around.typeId);
  const isInside = wrapper.kind === 'STRUCT' && wrapper.members.some(({ typeId }) => typeId === structId);
  if (!isInside) return fails(`struct ${PREFIX}${name} of ${around.name} does not have a struct ${name}`);
  const struct = spec.typeById(structId);
  if (struct.kind !== 'STRUCT') return [];
  const found = { name: around.name, spec, typeId: structId };
  const byName = new Map<string, Member>();
  for (const member of struct.members) if (!byName.has(member.name)) byName.set(member.name, member);
  return [
    need('STRUCT_OPS', name, FITS, { found }),
    ...map.members.flatMap((member) =>
      needOfMember(local, member, struct, byName.get(member.name) ?? null, found, near),
    ),
  ];
}

function needOfMember(
  local: Spec,
  member: StructOpsMember,
  struct: Struct,
  target: Member | null,
  found: FoundType,
  near: NearNames,
): Need[] {
  const name = `${struct.name}.${member.name}`;
  const verdict = (kind: 'FITS' | 'GUARDED' | 'FAILS', reason: string): Need[] => [
    need('STRUCT_OPS_MEMBER', name, [kind, reason], target === null ? {} : { found }),
  ];
  if (target === null) {
    const reason = `struct ${struct.name} of ${found.name} has no member ${member.name}`;
    return member.isSet
      ? [
          need('STRUCT_OPS_MEMBER', name, ['FAILS', reason], {
            near: near.ofMember(found.spec, found.typeId, member.name),
          }),
        ]
      : verdict('GUARDED', `${reason}, and it has no value in the object`);
  }
  if (member.isBitfield || target.bitfieldSize !== 0) return verdict('FAILS', 'loaders do not set bitfields');
  const localId = resolveId(local, member.typeId);
  const targetId = resolveId(found.spec, followed(found.spec, struct.id, target.typeId));
  const kind = local.kindOf(localId);
  if (kind !== found.spec.kindOf(targetId))
    return verdict('FAILS', `the member is of another kind in ${found.name}`);
  if (kind === Kind.PTR) {
    if (!member.isSet) return [];
    return isFunctionPointer(found.spec, targetId)
      ? verdict('FITS', '')
      : verdict('FAILS', `the member does not point to a function in ${found.name}`);
  }
  const size = sizeIn(found.spec, targetId);
  if (size !== member.size) {
    return verdict(
      'FAILS',
      `the member has ${member.size} bytes in the object and ${size ?? 'no'} in ${found.name}`,
    );
  }
  return member.isSet ? verdict('FITS', '') : [];
}

function isFunctionPointer(spec: Spec, pointer: TypeId): boolean {
  const target = resolveId(spec, followed(spec, pointer, sizeOrTypeIdOf(spec, pointer)));
  return spec.kindOf(target) === Kind.FUNC_PROTO;
}

function sizeIn(spec: Spec, id: TypeId): number | null {
  try {
    return sizeof(spec, id);
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}
