/**
 * @btfd/btf reads, checks, builds and prints BTF, the BPF Type Format, in Node and in browsers.
 *
 * ```ts
 * import { Spec } from '@btfd/btf';
 *
 * const vmlinux = Spec.parse(bytes);
 * for (const type of vmlinux.typesByName('task_struct')) {
 *   if (type.kind === 'STRUCT') console.log(type.size, type.members.length);
 * }
 * const module = Spec.parse(moduleBytes, { base: vmlinux });
 * ```
 *
 * @module
 */
export { BtfBuildError, type BtfBuildErrorCode, type BtfBuildErrorPlace } from './build/build-error.js';
export { Builder, type BuilderOptions } from './build/builder.js';
export { convertByteOrder } from './build/byte-order.js';
export { dedup, type DedupOptions } from './build/dedup/dedup.js';
export { distillBase, type Distilled } from './build/distill-base.js';
export { type MapTypes, marshalMapKV } from './build/map-types.js';
export type { MarshalOptions } from './build/marshal-options.js';
export { merge, type Merged, type MergeOptions } from './build/merge.js';
export type { NewType } from './build/field-checks.js';
export type { Rebuilt } from './build/write-btf.js';
export { selectTypes, type SelectOptions } from './build/select.js';
export { permuteTypes } from './build/permute.js';
export { sortTypes } from './build/sort.js';
export { TypeReader } from './decode/type-reader.js';
export { type BtfSurvey, countTypes, surveyBtf } from './type-index.js';
export { type ElfBtf, inflateElfBtf, parseElfBtf, readElfBtf } from './elf/elf-btf.js';
export {
  ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSectionHeader,
  type ElfSymbol,
  isElfFile,
} from './elf/elf-file.js';
export { relocateSplit } from './elf/relocate-split.js';
export {
  BtfFormatError,
  type BtfFormatErrorCode,
  type BtfFormatErrorPlace,
  BtfReadError,
  type BtfReadErrorCode,
} from './format-error.js';
export { BtfLookupError, type BtfLookupErrorCode, type BtfLookupDetails } from './lookup-error.js';
export { type BtfHeader, type BtfSection, type ByteOrder, parseHeader, isSplit } from './header.js';
export {
  Kind,
  type KindRow,
  KINDS,
  type Array,
  type Const,
  type Datasec,
  type DeclTag,
  type Enum,
  type Enum64,
  type Enum64Value,
  type EnumValue,
  type Float,
  type Func,
  FuncLinkage,
  type FuncParam,
  type FuncProto,
  type Fwd,
  type Int,
  IntEncoding,
  type KindName,
  type Member,
  type Pointer,
  type Restrict,
  type Struct,
  type Type,
  type TypeId,
  type TypeTag,
  type Typedef,
  type Union,
  type Unknown,
  type Var,
  VarLinkage,
  type VarSecinfo,
  type Void,
  type Volatile,
} from './types.js';
export { DEFAULT_PARSE_LIMITS, type ParseLimits } from './limits.js';
export { type BtfNote, type BtfNoteKind, formatNote } from './notes.js';
export { alignof } from './query/alignof.js';
export { type DatasecVar, datasecVars } from './query/datasec-vars.js';
export { type DeclTags, declTagsOf } from './query/decl-tags.js';
export { essentialName, flavourOf, typesByEssentialName } from './query/flavours.js';
export { fitsBase } from './query/fits-base.js';
export { type FlatMember, flatMembers } from './query/flat-members.js';
export { compileGlob, GlobError, isGlob, type NameTest } from './query/glob.js';
export {
  type MemberCandidate,
  MemberPathError,
  type MemberPathDetails,
  type MemberProblem,
} from './query/member-error.js';
export { formatMemberPath, type MemberPath, parseMemberPath, type PathStep } from './query/member-path.js';
export type {
  Dereference,
  MemberPlace,
  MemberStep,
  ResolvedMember,
  ResolveOptions,
} from './query/member-place.js';
export { nearNames, nearTypeNames, type NearTypeOptions } from './query/near-names.js';
export { typeByName, type TypeOf, typesByName } from './query/names.js';
export { pointerSize, type PointerSize } from './query/pointer-size.js';
export { postorder } from './query/postorder.js';
export { children, mapReferences } from './query/references.js';
export { type Alias, isAlias, resolve, unqualified } from './query/resolve.js';
export { resolveMember, resolveMemberOf } from './query/resolve-member.js';
export { type DataModel, sizeof } from './query/sizeof.js';
export { toBpftoolJson, printRaw } from './print/bpftool.js';
export {
  type Layout,
  type LayoutClose,
  type LayoutGap,
  type LayoutMember,
  type LayoutOpen,
  type LayoutOptions,
  type LayoutRow,
  layoutOf,
} from './print/layout.js';
export { formatLayout } from './print/layout-text.js';
export { type StructSize, structSize, type StructSizeOptions } from './print/struct-size.js';
export { CDump, type CDumpOptions } from './print/c-dump.js';
export { printC, printCChunks, type PrintCOptions } from './print/print-c.js';
export { declarationOf, formatTypeName } from './print/type-name.js';
export { checkObject, type CheckObjectOptions, checkObjectSteps } from './check/check-object.js';
export type {
  Need,
  NeedKind,
  ObjectReport,
  ObjectSummary,
  ProgramResult,
  RelocationFinding,
  VerdictCount,
} from './check/report.js';
export { type Verdict, VERDICTS } from './check/verdict.js';
export type { CoreModule, CoreTarget } from './core/candidates.js';
export type { CorePatch } from './core/patch.js';
export type {
  CoreCandidate,
  CorePlace,
  CoreOutcome,
  CoreResolution,
  ResolvedRelocation,
} from './core/resolution.js';
export { resolveRelocations, type ResolveRelocationsOptions } from './core/resolve.js';
export type { BpfLoader } from './core/rules/loader-rules.js';
export { type BtfExt, parseBtfExt } from './ext/btf-ext.js';
export { LineTable, type SourceLine } from './ext/lines.js';
export {
  type CoreRelocation,
  type CoreRelocationBlock,
  type FuncRecord,
  RELOCATION_KINDS,
  RELOCATION_NAMES,
  type RelocationKind,
} from './ext/records.js';
export {
  type BpfObject,
  type BpfObjectOptions,
  isBpfObject,
  parseBpfObject,
  readBtfExt,
} from './object/bpf-object.js';
export { readCalls } from './object/calls.js';
export { compactObject } from './object/compact.js';
export { type EmbeddedObject, findBpfObjects } from './object/embedded.js';
export { type BpfExtern, readExterns } from './object/extern-symbols.js';
export { type Instruction, Instructions } from './object/instructions.js';
export { type BpfMap, readMaps } from './object/maps.js';
export { type BpfProgram, programAt, readPrograms } from './object/programs.js';
export { SECTION_NAMES, type SectionName, sectionNameOf } from './object/section-names.js';
export { prepareBtf } from './object/prepare-btf.js';
export { minimalBtf, type MinimalBtfOptions } from './min-btf/minimal-btf.js';
export type { Reach } from './reach/reach.js';
export type { DiffKind } from './diff/diff-kinds.js';
export type { DiffSelection } from './diff/diff-scope.js';
export { type DiffOptions, diffSpecs, diffSteps, type SpecDiff } from './diff/diff-specs.js';
export type { MemberFact } from './diff/member-facts.js';
export type { TagFact } from './diff/tag-facts.js';
export type { Changed, ListChange, TypeChange } from './diff/type-change.js';
export type { TypeFacts, ValueFact } from './diff/type-facts.js';
export { type ParseOptions, Spec } from './spec.js';
export {
  functionsReturning,
  functionsTaking,
  type FunctionUse,
  type FunctionUseOptions,
} from './uses/function-uses.js';
export {
  membersContaining,
  membersPointingTo,
  type MemberUse,
  type MemberUseOptions,
} from './uses/member-uses.js';
export { adaptBtf } from './kernel/adapt-btf.js';
export { type KernelNames, kernelVersionOf } from './kernel/kernel-version.js';
export type { FeatureName, FeatureProbe, FeatureRow, Rewriting } from './kernel/feature-table.js';
export {
  FEATURE_ROWS,
  KERNEL_FEATURES,
  type KernelFeatures,
  kernelFeaturesOf,
  marshalOptionsFor,
} from './kernel/kernel-features.js';
export { probeBtf, probeResult } from './kernel/probe.js';
export type { Problem } from './validate/problem.js';
export { formatValue, type FormattedValue, type FormatValueOptions } from './value/format-value.js';
export { readValue, type ReadValue, type ReadValueOptions, type Value } from './value/read-value.js';
export type { Extent } from './value/value-input.js';
export { validate, type ValidateOptions } from './validate/validate.js';
