import { TypeReader } from '../decode/type-reader.js';
import { HEAD_WORDS } from '../kind-words.js';
import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { TargetChains } from './target-chains.js';

/** FunctionUse is a parameter of a function, or its result, whose type is a type that was looked for or leads to it. */
export interface FunctionUse {
  /** The FUNC. */
  readonly typeId: TypeId;
  readonly name: string;
  /** The index of the parameter, from 0; -1 for the result. */
  readonly index: number;
  /** The name of the parameter; empty for the result. */
  readonly parameter: string;
  /** The type of the parameter or of the result. */
  readonly usedTypeId: TypeId;
  /** Number of pointers to the type; 0 for the type itself. */
  readonly pointers: number;
}

/** FunctionUseOptions are the options of {@link functionsTaking} and {@link functionsReturning}. */
export interface FunctionUseOptions {
  /** The first id of the functions to search; 1 for those of the base too. Default: `spec.firstTypeId`. */
  readonly firstId?: TypeId;
}

const PARAM_WORDS = 2;

/**
 * functionsTaking finds the functions with a parameter of a type, or with a pointer to it, also through typedefs, qualifiers,
 * type tags, arrays and several pointers. A function that takes the type twice is found twice. Modelled on `pfunct --class`,
 * which only finds parameters that are one pointer to the very type. Types are not decoded.
 *
 * @param targets the ids of the type: several for a name that several types have.
 * @returns the parameters in the order of the ids of their functions.
 * @throws BtfLookupError `NOT_FOUND` if there is no type with one of the ids.
 * @throws BtfFormatError `MALFORMED` if the name of a function or parameter lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if such a name is too long.
 */
export function functionsTaking(
  spec: Spec,
  targets: Iterable<TypeId>,
  options: FunctionUseOptions = {},
): Generator<FunctionUse, void, undefined> {
  return functionUses(spec, targets, options, true);
}

/**
 * functionsReturning finds the functions that return a type, or a pointer to it, as {@link functionsTaking} does for
 * parameters.
 *
 * @throws BtfReadError as {@link functionsTaking} does.
 */
export function functionsReturning(
  spec: Spec,
  targets: Iterable<TypeId>,
  options: FunctionUseOptions = {},
): Generator<FunctionUse, void, undefined> {
  return functionUses(spec, targets, options, false);
}

function* functionUses(
  spec: Spec,
  targets: Iterable<TypeId>,
  { firstId = spec.firstTypeId }: FunctionUseOptions,
  ofParameters: boolean,
): Generator<FunctionUse, void, undefined> {
  const chains = new TargetChains(spec, targets);
  const reader = new TypeReader(spec);
  for (let id = Math.max(1, firstId); id < spec.endTypeId; id++) {
    reader.open(id);
    const { kind } = reader;
    if (kind !== Kind.FUNC) continue;
    const prototype = reader.u32(2);
    if (prototype === 0 || prototype >= spec.endTypeId) continue;
    reader.open(prototype);
    const { kind: kindOfPrototype, vlen } = reader;
    if (kindOfPrototype !== Kind.FUNC_PROTO) continue;
    if (!ofParameters) {
      const usedTypeId = reader.u32(2);
      const pointers = chains.pointers(usedTypeId);
      if (pointers === null) continue;
      yield { typeId: id, name: spec.nameOf(id), index: -1, parameter: '', usedTypeId, pointers };
      continue;
    }
    for (let index = 0; index < vlen; index++) {
      const word = HEAD_WORDS + PARAM_WORDS * index;
      const usedTypeId = reader.u32(word + 1);
      const pointers = chains.pointers(usedTypeId);
      if (pointers === null) continue;
      const parameter = reader.name(word);
      yield { typeId: id, name: spec.nameOf(id), index, parameter, usedTypeId, pointers };
    }
  }
}
