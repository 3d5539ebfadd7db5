import { BtfBuildError } from '../build/build-error.js';
import { Builder } from '../build/builder.js';
import { convertByteOrder } from '../build/byte-order.js';
import { dedup } from '../build/dedup/dedup.js';
import { distillBase } from '../build/distill-base.js';
import { marshalMapKV } from '../build/map-types.js';
import { merge } from '../build/merge.js';
import { permuteTypes } from '../build/permute.js';
import { selectTypes } from '../build/select.js';
import { sortTypes } from '../build/sort.js';
import { relocateSplit } from '../elf/relocate-split.js';
import { BtfReadError } from '../format-error.js';
import { CDump } from '../print/c-dump.js';
import { printRaw, toBpftoolJson } from '../print/bpftool.js';
import { formatLayout } from '../print/layout-text.js';
import { layoutOf } from '../print/layout.js';
import { printCChunks } from '../print/print-c.js';
import { declarationOf, formatTypeName } from '../print/type-name.js';
import { alignof } from '../query/alignof.js';
import { datasecVars } from '../query/datasec-vars.js';
import { declTagsOf } from '../query/decl-tags.js';
import { flatMembers } from '../query/flat-members.js';
import { typesByEssentialName } from '../query/flavours.js';
import { typeByName } from '../query/names.js';
import { pointerSize } from '../query/pointer-size.js';
import { postorder } from '../query/postorder.js';
import { children } from '../query/references.js';
import { resolveMember, resolveMemberOf } from '../query/resolve-member.js';
import { resolve } from '../query/resolve.js';
import { sizeof } from '../query/sizeof.js';
import { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { validate } from '../validate/validate.js';
import { formatValue } from '../value/format-value.js';
import { readValue } from '../value/read-value.js';
import type { Outcomes } from './exercise.js';

type Calls<A extends unknown[]> = Readonly<Record<string, (...args: A) => unknown>>;

/** Bytes of C that a few hundred bytes of BTF may print as. */
const MOST_TEXT = 64 * 1024;

/** Functions of the library on a whole spec. Each area has its own here. */
const ON_SPEC: Calls<[spec: Spec]> = {
  build: (spec) => {
    const builder = new Builder();
    builder.addAllFrom(spec, spec.typeIds());
    return builder.toSpec();
  },
  buildCopies: (spec) => {
    const builder = new Builder({ deduplicate: false });
    builder.addAllFrom(spec, spec.typeIds());
    return builder.marshal({
      byteOrder: 'big',
      replaceDeclTags: true,
      replaceEnum64: true,
      replaceTypeTags: true,
      shareSuffixes: true,
      stripFuncLinkage: true,
    });
  },
  buildSplit: (spec) => copiesOf(spec).marshal({ sort: true }),
  convertByteOrder: (spec) => Spec.parse(convertByteOrder(spec, 'big'), { base: bigEndian(spec.base) }),
  dedup: (spec) => Spec.parse(dedup(spec).bytes, { base: spec.base }),
  distillBase: (spec) => {
    const { bytes, baseBytes } = distillBase(spec);
    const distilled = Spec.parse(bytes, { base: Spec.parse(baseBytes) });
    return spec.base === null ? distilled : relocateSplit(distilled, spec.base);
  },
  merge: (spec) => Spec.parse(merge([spec, spec]).bytes),
  permuteTypes: (spec) => {
    const { bytes } = permuteTypes(spec, [...spec.typeIds()].toReversed());
    return Spec.parse(bytes, { base: spec.base });
  },
  pointerSize,
  postorder: (spec) => {
    for (const id of postorder(spec, spec.typeIds())) spec.kindOf(id);
  },
  resolveMember: (spec) => resolveMember(spec, 'plain.a'),
  selectTypes: (spec) => Spec.parse(selectTypes(spec, [...spec.typeIds()].slice(0, 8)).bytes),
  sortTypes: (spec) => Spec.parse(sortTypes(spec).bytes, { base: spec.base }),
  validate: (spec) => validate(spec),
};

/** Functions of the library on one type. */
const ON_TYPE: Calls<[spec: Spec, id: TypeId]> = {
  alignof: (spec, id) => alignof(spec, id),
  children: (spec, id) => children(spec.typeById(id)).map((child) => spec.kindOf(child)),
  datasecVars,
  declTagsOf,
  flatMembers: (spec, id) => {
    const type = spec.typeById(id);
    return 'members' in type ? [...flatMembers(spec, type)] : [];
  },
  marshalMapKV: (spec, id) => Spec.parse(marshalMapKV(spec, id, id).bytes),
  resolve,
  resolveMemberOf: (spec, id) => resolveMemberOf(spec, id, [{ member: 'b' }, { index: 0 }]),
  sizeof: (spec, id) => sizeof(spec, id),
  typeByName: (spec, id) => typeByName(spec, spec.nameOf(id), spec.typeById(id).kind),
  typesByEssentialName: (spec, id) => typesByEssentialName(spec, spec.nameOf(id)),
};

/** The functions that print. Their work has a limit of its own. */
const PRINT_SPEC: Calls<[spec: Spec]> = { CDump: dumpSomeC, printC: printSomeC };
const PRINT_TYPE: Calls<[spec: Spec, id: TypeId]> = {
  declarationOf,
  formatLayout: (spec, id) => formatLayout(layoutOf(spec, id)),
  formatTypeName,
  formatValue: (spec, id) => formatValue(spec, id, VALUE, { emitZeroes: true, maxLength: MOST_TEXT }),
  printRaw: (spec, id) => printRaw(spec.typeById(id), spec),
  readValue: (spec, id) => readValue(spec, id, VALUE),
  toBpftoolJson: (spec, id) => toBpftoolJson(spec.typeById(id)),
};

/** Bytes to read as values of every type. */
const VALUE = Uint8Array.from({ length: 64 }, (_, i) => i * 5);

/** The number of types to exercise one by one. Whole specs are short enough to exercise all. */
const MOST_TYPES = 64;

/**
 * exerciseLibrary calls every function of the library except those that print, on a spec that may be hostile.
 *
 * @param outcomes counts the outcomes of each function, as `name VALUE` or `name CODE`.
 * @throws any error that is neither a BtfFormatError nor a BtfBuildError.
 */
export function exerciseLibrary(spec: Spec, outcomes: Outcomes): void {
  callAll(spec, outcomes, ON_SPEC, ON_TYPE);
}

/** exercisePrinting is {@link exerciseLibrary} for the functions that print. */
export function exercisePrinting(spec: Spec, outcomes: Outcomes): void {
  callAll(spec, outcomes, PRINT_SPEC, PRINT_TYPE);
}

function callAll(
  spec: Spec,
  outcomes: Outcomes,
  onSpec: Calls<[spec: Spec]>,
  onType: Calls<[spec: Spec, id: TypeId]>,
): void {
  for (const [name, call] of Object.entries(onSpec)) attempt(outcomes, name, () => call(spec));
  for (const id of [...spec.typeIds()].slice(0, MOST_TYPES)) {
    for (const [name, call] of Object.entries(onType)) attempt(outcomes, name, () => call(spec, id));
  }
}

/** functionNames returns the names of the exercised functions. */
export function functionNames(): string[] {
  return [ON_SPEC, ON_TYPE, PRINT_SPEC, PRINT_TYPE].flatMap((calls) => Object.keys(calls));
}

/** Text over this limit is not a limit of work that was reached: padding alone can be megabytes. */
function printSomeC(spec: Spec): void {
  let length = 0;
  for (const chunk of printCChunks(spec)) {
    length += chunk.length;
    if (length > MOST_TEXT) return;
  }
}

/** Types dumped one by one have the same text, whether they are read from a builder or from the BTF that it writes. */
function dumpSomeC(spec: Spec): void {
  const builder = copiesOf(spec);
  const written = builder.toSpec();
  const dumps = [builder, written].map((types) => new CDump(types, { pointerSize: 8 }));
  let length = 0;
  for (const id of written.typeIds()) {
    const [ours = '', theirs = ''] = dumps.map((dump) => dump.dumpType(id));
    if (ours !== theirs) throw new Error(`the texts of type ${id} differ`);
    length += ours.length;
    if (length > MOST_TEXT) return;
  }
}

/** A builder with the types of a spec, with the same ids and on the same base. */
function copiesOf(spec: Spec): Builder {
  const builder = new Builder({ base: spec.base, deduplicate: false });
  builder.addAllFrom(spec, spec.typeIds());
  return builder;
}

function bigEndian(spec: Spec | null): Spec | null {
  return spec === null ? null : Spec.parse(convertByteOrder(spec, 'big'), { base: bigEndian(spec.base) });
}

function attempt(outcomes: Outcomes, name: string, run: () => unknown): void {
  let outcome = 'VALUE';
  try {
    run();
  } catch (error) {
    if (!(error instanceof BtfReadError || error instanceof BtfBuildError)) throw error;
    outcome = error.code;
  }
  const key = `${name} ${outcome}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
}
