import type { RelocationKind } from '../ext/records.js';
import type { TypeId } from '../types.js';
import { type CorePath, isEnumKind, isTypeKind, PLACE_OF_TYPE } from './access.js';
import type { CandidateType } from './candidates.js';
import { elementsNamed } from './compatible-fields.js';
import { isEnum } from './core-types.js';
import { type Matching, matchField } from './match-field.js';
import type { CoreWork } from './refusal.js';
import type { LoaderRules } from './rules/loader-rules.js';
import { typesCompatible } from './types-compatible.js';
import { typesMatch } from './types-match.js';

/** CANDIDATE_STEPS are the steps that a candidate counts as, whatever is compared: the fix and its description take longest. */
export const CANDIDATE_STEPS = 128;

/**
 * matchCandidate looks in a candidate for what a relocation asks for.
 *
 * @throws a refusal if the loader gives up.
 * @throws BtfFormatError for types that are invalid, and `LIMIT_EXCEEDED` if the work is spent.
 */
export function matchCandidate(
  kind: RelocationKind,
  local: CorePath,
  candidate: CandidateType,
  rules: LoaderRules,
  work: CoreWork,
): Matching {
  work.step(CANDIDATE_STEPS);
  if (isEnumKind(kind)) return matchValue(local, candidate, rules, work);
  if (!isTypeKind(kind)) return matchField(local, candidate.types, candidate.typeId, rules, work);
  const { types: target, typeId: rootId } = candidate;
  const pair = { local: local.types, target, rules, work };
  const matches =
    kind === 'TYPE_MATCHES'
      ? typesMatch(pair, local.rootId, rootId)
      : typesCompatible(pair, local.rootId, rootId);
  if (matches) return { path: wholeType(candidate) };
  return { path: null, reason: kind === 'TYPE_MATCHES' ? 'does not match' : 'is of another kind' };
}

function wholeType({ types, typeId: rootId }: CandidateType): CorePath {
  return { ...PLACE_OF_TYPE, types, rootId };
}

/** The first value with the same name, but for flavours. */
function matchValue(
  local: CorePath,
  { types, typeId: rootId }: CandidateType,
  rules: LoaderRules,
  work: CoreWork,
): Matching {
  const name = local.accessors[0]?.name ?? '';
  const id: TypeId = types.skip(rootId);
  if (!isEnum(types.kindOf(id))) return { path: null, reason: 'is not an enum' };
  work.step(types.countOf(id));
  for (const index of elementsNamed(types, id, name, rules)) {
    const accessors = [{ typeId: id, index, name: types.elementName(id, index) }];
    return { path: { ...PLACE_OF_TYPE, types, rootId, indexes: [index], accessors } };
  }
  return { path: null, reason: `has no value ${name}` };
}
