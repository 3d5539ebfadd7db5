import type { RelocationKind } from '../ext/records.js';
import { Kind, type TypeId } from '../types.js';
import { type CorePath, isEnumKind, isFieldKind } from './access.js';
import { alignedValues, canAdjust, fieldAt, fieldValue } from './field-value.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** Fix is what a loader writes into the instruction of a relocation. */
export interface Fix {
  /** Whether the instruction becomes an invalid one. The values then have no meaning for it. */
  readonly isPoison: boolean;
  /** The value that the instruction was compiled with, and the one for the target, as unsigned numbers of 64 bits. */
  readonly local: bigint;
  readonly target: bigint;
  /** The sizes of the member in bytes, if loads and stores depend on it; otherwise 0. */
  readonly localSize: number;
  readonly targetSize: number;
  /** Whether a load or a store cannot take the size of the target. */
  readonly hasUnfitSize: boolean;
  /** Whether the instruction must have the local value. */
  readonly isChecked: boolean;
}

const PLAIN = { isPoison: false, localSize: 0, targetSize: 0, hasUnfitSize: false, isChecked: true };

const EXISTENCE: ReadonlySet<RelocationKind> = /* @__PURE__ */ new Set([
  'FIELD_EXISTS',
  'TYPE_EXISTS',
  'TYPE_MATCHES',
  'ENUMVAL_EXISTS',
] as const);

/** isExistenceKind reports whether a kind of relocation asks whether something exists. */
export function isExistenceKind(kind: RelocationKind): boolean {
  return EXISTENCE.has(kind);
}

/**
 * calculate returns the fix for a target that matches.
 *
 * @throws a refusal if a value cannot be computed.
 */
export function calculate(kind: RelocationKind, local: CorePath, target: CorePath, rules: LoaderRules): Fix {
  if (isExistenceKind(kind)) return { ...PLAIN, local: 1n, target: 1n };
  if (isFieldKind(kind)) return fieldFix(kind, local, target, rules);
  if (isEnumKind(kind)) {
    return { ...PLAIN, local: enumValue(local, rules), target: enumValue(target, rules) };
  }
  return typeFix(kind, local, target, rules);
}

/**
 * calculateAbsent returns the fix for a relocation that no target matches.
 *
 * @throws a refusal if the local value cannot be computed.
 */
export function calculateAbsent(kind: RelocationKind, local: CorePath, rules: LoaderRules): Fix {
  if (isExistenceKind(kind) || rules.absentType === 'POISON') return absent(isExistenceKind(kind));
  if (isFieldKind(kind)) {
    const { value, size, isChecked } = fieldValue(kind, fieldAt(local, rules), local.types.spec.byteOrder);
    return { ...PLAIN, isPoison: true, local: value, target: 0n, localSize: size, isChecked };
  }
  if (isEnumKind(kind)) return { ...PLAIN, isPoison: true, local: enumValue(local, rules), target: 0n };
  const isChecked = kind !== 'TYPE_ID_TARGET';
  return { ...PLAIN, local: typeValue(kind, local), target: 0n, isChecked };
}

/** idFix returns the fix of a relocation for the id of a type of the object itself. */
export function idFix(typeId: TypeId, { typeIds }: LoaderRules): Fix {
  const id = BigInt(typeId);
  return { ...PLAIN, local: id, target: id, isChecked: typeIds === 'CHECKED' };
}

/** absent returns the fix for a check of existence that fails, or one that poisons the instruction. */
export function absent(isExistence: boolean): Fix {
  return { ...PLAIN, isPoison: !isExistence, local: isExistence ? 1n : 0n, target: 0n };
}

function fieldFix(kind: RelocationKind, local: CorePath, target: CorePath, rules: LoaderRules): Fix {
  const order = target.types.spec.byteOrder;
  const [own, theirs] = [fieldAt(local, rules), fieldAt(target, rules)];
  if (rules.bitfieldWord === 'OF_TYPE') return { ...PLAIN, ...alignedValues(kind, own, theirs, order) };
  const [a, b] = [fieldValue(kind, own, order), fieldValue(kind, theirs, order)];
  return {
    ...PLAIN,
    local: a.value,
    target: b.value,
    localSize: a.size,
    targetSize: b.size,
    hasUnfitSize: a.size !== b.size && (a.size === 0 || b.size === 0 || !canAdjust(own, theirs)),
    isChecked: a.isChecked,
  };
}

function typeFix(kind: RelocationKind, local: CorePath, target: CorePath, rules: LoaderRules): Fix {
  const isOfModule = target.rootId >= target.types.spec.firstTypeId && target.types.spec.base !== null;
  const isPoison = kind === 'TYPE_ID_TARGET' && isOfModule && rules.moduleTypeIds === 'POISON';
  const isChecked = kind !== 'TYPE_ID_TARGET' || rules.typeIds === 'CHECKED';
  return { ...PLAIN, isPoison, isChecked, local: typeValue(kind, local), target: typeValue(kind, target) };
}

function typeValue(kind: RelocationKind, { types, rootId }: CorePath): bigint {
  return BigInt(kind === 'TYPE_SIZE' ? types.sizeOf(rootId) : rootId);
}

function enumValue({ types, accessors }: CorePath, { unsignedEnums }: LoaderRules): bigint {
  const [accessor] = accessors;
  if (accessor === undefined) return 0n;
  const { typeId, index } = accessor;
  const value = types.valueOf(typeId, index);
  const isNarrow = types.kindOf(typeId) === Kind.ENUM && !types.flagOf(typeId);
  return BigInt.asUintN(isNarrow && unsignedEnums === 'AS_UNSIGNED' ? 32 : 64, value);
}
