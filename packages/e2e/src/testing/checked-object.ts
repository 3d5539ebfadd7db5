import {
  type CheckObjectResponse,
  decodeNeed,
  decodeRelocation,
  decodeVerdict,
  encodeNeed,
  encodeRelocation,
  type NeedFields,
  type ObjectHeader,
  type ObjectSummary,
  type RelocationFindingFields,
  Verdict,
} from '@btfd/api';
import type { ObjectReport } from '@btfd/btf';

/** CheckedObject is the report of a call of CheckObject, in the shape of the library's report. */
export interface CheckedObject {
  readonly header: ObjectHeader;
  /** The last message. */
  readonly summary: ObjectSummary;
  /** Plain data that can be compared with {@link plainReport}. */
  readonly report: unknown;
  /** The number of messages. */
  readonly messages: number;
}

/** A program with its findings. */
interface CheckedProgram {
  /** Its other fields in one text. */
  head: string;
  readonly relocations: RelocationFindingFields[];
  readonly needs: NeedFields[];
}

/** receiveReport reads the whole stream of a call. @throws Error if its messages are not in order. */
export async function receiveReport(stream: AsyncIterable<CheckObjectResponse>): Promise<CheckedObject> {
  let header: ObjectHeader | null = null;
  let summary: ObjectSummary | null = null;
  let messages = 0;
  const programs: CheckedProgram[] = [];
  const needs: NeedFields[] = [];
  const relocations: RelocationFindingFields[] = [];
  let isContinued = false;
  for await (const { part } of stream) {
    messages += 1;
    if ((part.case === 'header') !== (messages === 1)) throw new Error(`message ${messages} is ${part.case}`);
    if (summary !== null && part.case !== 'summary') throw new Error('the summary is not last');
    if (part.case === 'header') header = part.value;
    if (part.case === 'program') {
      const { name, section, programType, loaded, verdict, continued } = part.value;
      const last = programs.at(-1);
      const program = isContinued && last !== undefined ? last : { relocations: [], needs: [], head: '' };
      if (program !== last) programs.push(program);
      program.head = [name, section, programType, loaded, decodeVerdict(verdict)].join(' ');
      program.relocations.push(...part.value.relocations.map(decodeRelocation));
      program.needs.push(...part.value.needs.map(decodeNeed));
      isContinued = continued;
    }
    if (part.case === 'summary') {
      summary = part.value;
      needs.push(...part.value.needs.map(decodeNeed));
      relocations.push(...part.value.relocations.map(decodeRelocation));
    }
  }
  if (header === null || summary === null || summary.continued) throw new Error('the report is not complete');
  const { dependsOnAllModules, dependsOnKernelVersion, notJudged, loaderRelease, verdict } = summary;
  const report = {
    programs,
    verdict: decodeVerdict(verdict),
    counts: summary.counts.map((count) => ({
      verdict: Verdict[count.verdict],
      relocations: count.relocations,
      needs: count.needs,
      programs: count.programs,
    })),
    needs,
    relocations,
    notJudged,
    modules: summary.modules.map(({ name }) => name),
    dependsOnAllModules,
    dependsOnKernelVersion,
    loaderRelease,
  };
  return { header, summary, report, messages };
}

/** plainReport returns the part of a report of the library that the daemon sends, in the same shape. */
export function plainReport(report: ObjectReport, isSent: (verdict: string) => boolean): unknown {
  const { dependsOnAllModules, dependsOnKernelVersion, notJudged, loaderRelease } = report;
  const { verdict, counts, modules } = report;
  const findings = ({ relocations, needs }: Pick<ObjectReport, 'relocations' | 'needs'>) => ({
    relocations: relocations
      .filter((finding) => isSent(finding.verdict))
      .map((finding) => decodeRelocation(encodeRelocation(finding))),
    needs: needs.filter((need) => isSent(need.verdict)).map((need) => decodeNeed(encodeNeed(need))),
  });
  return {
    programs: report.programs.map((program) => {
      const { name, section, programType, loaded } = program;
      const head = [name, section, programType ?? '', loaded, program.verdict].join(' ');
      return { head, relocations: findings(program).relocations, needs: findings(program).needs };
    }),
    verdict,
    counts,
    needs: findings(report).needs,
    relocations: findings(report).relocations,
    notJudged,
    modules,
    dependsOnAllModules,
    dependsOnKernelVersion,
    loaderRelease,
  };
}
