import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  ByteOrder,
  CheckObjectResponseSchema,
  encodeNeed,
  encodeRelocation,
  type HandleInfoSchema,
  NeedSchema,
  ObjectSummarySchema,
  ProgramResultSchema,
  RelocationSchema,
  Verdict,
  type VerdictCountSchema,
} from '@btfd/api';
import {
  type Need,
  type ObjectSummary,
  type ProgramResult,
  type RelocationFinding,
  type VerdictCount,
  VERDICTS,
} from '@btfd/btf';
import type { Init } from '../../base/message.js';

/** ReportForm says which findings are sent, and in messages of which size. */
export interface ReportForm {
  /** Whether every finding is sent. Otherwise only those from `GUARDED` on. */
  readonly all: boolean;
  readonly chunkBytes: number;
}

/** The findings of a program, or those of the object itself. */
interface Findings {
  readonly relocations: readonly RelocationFinding[];
  readonly needs: readonly Need[];
}

const { program: PROGRAM, summary: SUMMARY } = CheckObjectResponseSchema.field;

/** Tag and length of the field of a response. */
const RESPONSE_BYTES = 10;

const FROM_GUARDED = new Set(VERDICTS.slice(VERDICTS.indexOf('GUARDED')));

/** programMessages yields the encoded messages of a program: one, or several if it has many findings. */
export function* programMessages(result: ProgramResult, form: ReportForm): Generator<Uint8Array, void, void> {
  const { name, section, programType, loaded, verdict } = result;
  const head = toBinary(
    ProgramResultSchema,
    create(ProgramResultSchema, {
      name,
      section,
      programType: programType ?? '',
      loaded,
      verdict: verdict === null ? Verdict.UNSPECIFIED : Verdict[verdict],
    }),
  );
  const { field } = ProgramResultSchema;
  const room = form.chunkBytes - RESPONSE_BYTES - head.length;
  for (const { parts, isLast } of packed(encoded(result, form, field), room)) {
    yield response(PROGRAM.number, [head, ...parts, ...continued(field.continued.number, !isLast)]);
  }
}

/**
 * summaryMessages yields the encoded messages of the summary. Only the last one has more than findings.
 *
 * @param modules the infos of the modules that were given to the check, by name.
 */
export function* summaryMessages(
  summary: ObjectSummary,
  modules: ReadonlyMap<string, Init<typeof HandleInfoSchema>>,
  form: ReportForm,
): Generator<Uint8Array, void, void> {
  const { verdict, counts, notJudged, byteOrder, loaderRelease } = summary;
  const { dependsOnAllModules, dependsOnKernelVersion } = summary;
  const rest = toBinary(
    ObjectSummarySchema,
    create(ObjectSummarySchema, {
      verdict: Verdict[verdict],
      counts: counts.map(countMessage),
      notJudged: [...notJudged],
      modules: summary.modules.map((name) => modules.get(name) ?? { name }),
      dependsOnAllModules,
      dependsOnKernelVersion,
      byteOrder: byteOrder === 'little' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
      loaderRelease,
    }),
  );
  const { field } = ObjectSummarySchema;
  const room = form.chunkBytes - RESPONSE_BYTES - rest.length;
  for (const { parts, isLast } of packed(encoded(summary, form, field), room)) {
    const tail = isLast ? [rest] : continued(field.continued.number, true);
    yield response(SUMMARY.number, [...parts, ...tail]);
  }
}

function countMessage({
  verdict,
  relocations,
  needs,
  programs,
}: VerdictCount): Init<typeof VerdictCountSchema> {
  return { verdict: Verdict[verdict], relocations, needs, programs };
}

/** Yields the fields of the findings that are sent. */
function* encoded(
  { relocations, needs }: Findings,
  { all }: ReportForm,
  field: Readonly<Record<'relocations' | 'needs', { readonly number: number }>>,
): Generator<Uint8Array, void, void> {
  for (const finding of relocations) {
    if (!all && !FROM_GUARDED.has(finding.verdict)) continue;
    yield message(field.relocations.number, toBinary(RelocationSchema, encodeRelocation(finding)));
  }
  for (const need of needs) {
    if (!all && !FROM_GUARDED.has(need.verdict)) continue;
    yield message(field.needs.number, toBinary(NeedSchema, encodeNeed(need)));
  }
}

/** Parts are encoded fields of one message, and whether it is the last one. */
interface Parts {
  readonly parts: readonly Uint8Array[];
  readonly isLast: boolean;
}

/** Puts fields into as few messages as there is room for. There is always a last one. */
function* packed(fields: Iterable<Uint8Array>, room: number): Generator<Parts, void, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for (const field of fields) {
    if (parts.length > 0 && length + field.length > room) {
      yield { parts, isLast: false };
      parts = [];
      length = 0;
    }
    parts.push(field);
    length += field.length;
  }
  yield { parts, isLast: true };
}

function message(field: number, value: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(value).finish();
}

function continued(field: number, isContinued: boolean): Uint8Array[] {
  return isContinued ? [new BinaryWriter().tag(field, WireType.Varint).bool(true).finish()] : [];
}

function response(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return joined([new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish(), ...parts]);
}

/** joined returns bytes one after the other, in memory of their own, so that it can be transferred to another thread. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
