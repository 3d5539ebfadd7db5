import { followed } from '../../query/follow.js';
import { resolve, resolveId } from '../../query/resolve.js';
import { isComposite } from '../../kind-words.js';
import { sizeOrTypeIdOf, type Spec } from '../../spec.js';
import { type FuncProto, Kind, type TypeId } from '../../types.js';

/** Signature is what matters of a function to those who trace it. */
export interface Signature {
  /** The words of 64 bits that its arguments take. */
  readonly words: number;
  /** Whether a parameter is a struct or a union. */
  readonly hasStruct: boolean;
  /** Whether it returns nothing. */
  readonly isVoid: boolean;
  /** The reason why the kernel does not trace it; null if there is none. */
  readonly obstacle: string | null;
}

const WORD = 8;

/** The kernel's trampolines pass structs of at most two words. */
const MAX_STRUCT = 16;

/**
 * signatureOf returns the signature of a FUNC, or of a tracepoint: a TYPEDEF of a pointer to a function whose first
 * parameter is not passed on.
 *
 * @returns null if the type is something else.
 * @throws BtfFormatError for a type that is invalid.
 */
export function signatureOf(spec: Spec, id: TypeId, isTracepoint: boolean): Signature | null {
  const prototype = isTracepoint ? prototypeOfTracepoint(spec, id) : prototypeOfFunction(spec, id);
  if (prototype === null) return null;
  const { id: from, returnTypeId, params } = prototype;
  let obstacle: string | null = null;
  let words = 0;
  let hasStruct = false;
  for (const [i, { typeId }] of params.slice(isTracepoint ? 1 : 0).entries()) {
    const size = typeId === 0 ? 0 : sizeOf(spec, followed(spec, from, typeId));
    if (isComposite(spec.kindOf(resolveId(spec, followed(spec, from, typeId))))) hasStruct = true;
    words += Math.max(1, Math.ceil((size ?? WORD) / WORD));
    if (typeId === 0) obstacle ??= 'it takes a variable number of arguments';
    else if (size === null)
      obstacle ??= `its parameter ${i + 1} is of a type that the kernel does not pass to programs`;
    else if (size === 0 || size > MAX_STRUCT) obstacle ??= `its parameter ${i + 1} has ${size} bytes`;
  }
  const result = spec.kindOf(resolveId(spec, followed(spec, from, returnTypeId)));
  if (isComposite(result)) {
    obstacle ??= 'it returns a struct';
  }
  return { words, hasStruct, isVoid: result === Kind.VOID, obstacle };
}

function prototypeOfFunction(spec: Spec, id: TypeId): FuncProto | null {
  const type = spec.typeById(id);
  const prototype = type.kind === 'FUNC' ? spec.typeById(followed(spec, id, type.typeId)) : null;
  return prototype?.kind === 'FUNC_PROTO' ? prototype : null;
}

function prototypeOfTracepoint(spec: Spec, id: TypeId): FuncProto | null {
  const pointer = resolve(spec, id);
  const prototype = pointer.kind === 'PTR' ? resolve(spec, followed(spec, pointer.id, pointer.typeId)) : null;
  return prototype?.kind === 'FUNC_PROTO' ? prototype : null;
}

/** The size of a type as the kernel has it for arguments; null for types that it does not pass. Many may be of one struct. */
function sizeOf(spec: Spec, id: TypeId): number | null {
  const type = resolveId(spec, id);
  const kind = spec.kindOf(type);
  if (kind === Kind.VOID) return 0;
  if (kind === Kind.PTR) return WORD;
  return SIZED.has(kind) ? sizeOrTypeIdOf(spec, type) : null;
}

const SIZED = /* @__PURE__ */ new Set<number>([Kind.INT, Kind.ENUM, Kind.ENUM64, Kind.STRUCT, Kind.UNION]);
