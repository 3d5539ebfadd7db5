import type { MemberResult, RemoteMember } from '@btfd/client';
import { offsetText } from './numbers.js';

/** offsetsText writes where a member is: `8`, `8:3` for a bitfield, and `2,320 → 120` after a pointer. */
export function offsetsText({ dereferences, bitOffset, bitfield }: RemoteMember): string {
  const places = [
    ...dereferences.map((step) => offsetText(step.bitOffset, false)),
    offsetText(bitOffset, bitfield),
  ];
  return places.join(' → ');
}

/** typeText returns the type of a member, with the type tags of the pointers on the path: some of them, such as __user, need care to read. */
export function typeText({ typeName, dereferences }: RemoteMember): string {
  const tags = [...new Set(dereferences.flatMap((step) => step.tags))];
  return tags.length === 0 ? typeName : `${typeName} (through ${tags.join(', ')})`;
}

/** memberData returns the result for a path for programs. */
export function memberData({ path, member: place, error, failure }: MemberResult): object {
  if (place !== null) return { path, ...placeData(place) };
  const { code, candidates, candidateCount } = failure;
  if (candidates.length === 0) return { path, error, code };
  return {
    path,
    error,
    code,
    candidates: candidates.map(({ typeId, typeName, inBase, path: exact, member: end }) => ({
      id: typeId,
      type: typeName,
      in_base: inBase,
      path: exact,
      member: end === null ? null : placeData(end),
    })),
    candidate_count: candidateCount,
  };
}

function placeData(place: RemoteMember): object {
  return {
    bits_offset: place.bitOffset,
    nr_bits: place.bitSize,
    bitfield: place.bitfield,
    type: place.typeName,
    type_id: place.typeId,
    container_id: place.containerId,
    dereferences: place.dereferences.map((step) => ({
      bits_offset: step.bitOffset,
      type_id: step.typeId,
      target_id: step.targetId,
      tags: step.tags,
    })),
  };
}
