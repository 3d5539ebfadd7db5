import { createHash } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  BpfLoader,
  ByteOrder,
  type CheckObjectRequest,
  type CheckObjectResponseSchema,
  encodeNeed,
  encodeRelocation,
  InfoDetail,
  type ObjectHeaderSchema,
  type ObjectSummarySchema,
  type ProgramResultSchema,
  Verdict,
} from '@btfd/api';
import {
  BtfReadError,
  checkObject,
  type Need,
  type ObjectReport,
  parseBpfObject,
  type ProgramResult,
  type RelocationFinding,
  type Spec,
  VERDICTS,
} from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import type { FakeObject } from './fake-object.js';
import { parsed } from './fake-spec.js';

type ReportPart = MessageInitShape<typeof CheckObjectResponseSchema>;

/** FakeTarget is the kernel that an object is checked against. */
export interface FakeTarget {
  readonly kernel: FakeObject;
  readonly modules: readonly FakeObject[];
  /** As `uname -r` prints it; empty if the kernel is not the running one. */
  readonly release: string;
}

/** fakeReport yields the responses of CheckObject: the report of `checkObject` of `@btfd/btf`. */
export function* fakeReport(
  request: CheckObjectRequest,
  target: FakeTarget,
): Generator<ReportPart, void, undefined> {
  const isSent = sentFindings(request.all);
  const kernelVersion = request.kernelVersion || versionOf(target.release);
  const report = reportOf(request, target, kernelVersion, parsed(target.kernel));
  yield { part: { case: 'header', value: headerOf(request, target, kernelVersion) } };
  for (const program of report.programs) {
    yield { part: { case: 'program', value: programOf(program, isSent) } };
  }
  yield { part: { case: 'summary', value: summaryOf(report, target, isSent) } };
}

/** @throws BtfError OBJECT_UNREADABLE, OBJECT_WITHOUT_BTF or INVALID_REQUEST. */
function reportOf(
  { object, loader, programs, variables, attachTargets }: CheckObjectRequest,
  { modules }: FakeTarget,
  kernelVersion: number,
  kernel: Spec,
): ObjectReport {
  try {
    return checkObject(
      parseBpfObject(object),
      {
        kernel,
        modules: modules.map((module) => ({ name: module.name, spec: () => parsed(module) })),
      },
      {
        loader: loader === BpfLoader.CILIUM_EBPF ? 'cilium' : 'libbpf',
        ...(programs.length === 0 ? {} : { programs }),
        variables: Object.fromEntries(variables.map(({ name, value }) => [name, value])),
        attachTargets: Object.fromEntries(attachTargets.map(({ program, target }) => [program, target])),
        kernelVersion: kernelVersion === 0 ? null : kernelVersion,
      },
    );
  } catch (error) {
    throw error instanceof BtfReadError ? refusal(error) : error;
  }
}

function refusal(error: BtfReadError): BtfError {
  const reason =
    error.code === 'NO_BTF'
      ? 'OBJECT_WITHOUT_BTF'
      : error.code === 'INVALID_ARGUMENT'
        ? 'INVALID_REQUEST'
        : 'OBJECT_UNREADABLE';
  return new BtfError({ code: status.INVALID_ARGUMENT, reason, message: error.message, cause: error });
}

function headerOf(
  { object, loader }: CheckObjectRequest,
  { kernel, release }: FakeTarget,
  kernelVersion: number,
): MessageInitShape<typeof ObjectHeaderSchema> {
  return {
    objectDigest: new Uint8Array(createHash('sha256').update(object).digest()),
    loader: loader === BpfLoader.CILIUM_EBPF ? loader : BpfLoader.LIBBPF,
    kernelRelease: release,
    machine: release === '' ? '' : 'x86_64',
    kernel: kernel.info([InfoDetail.DIGEST]),
    kernelVersion,
  };
}

type IsSent = (finding: RelocationFinding | Need) => boolean;

function sentFindings(all: boolean): IsSent {
  const first = VERDICTS.indexOf('GUARDED');
  return ({ verdict }) => all || VERDICTS.indexOf(verdict) >= first;
}

interface Findings {
  readonly relocations: readonly RelocationFinding[];
  readonly needs: readonly Need[];
}

function findingsOf({ relocations, needs }: Findings, isSent: IsSent) {
  return {
    relocations: relocations.filter(isSent).map(encodeRelocation),
    needs: needs.filter(isSent).map(encodeNeed),
  };
}

function programOf(result: ProgramResult, isSent: IsSent): MessageInitShape<typeof ProgramResultSchema> {
  const { name, section, programType, loaded, verdict } = result;
  return {
    name,
    section,
    programType: programType ?? '',
    loaded,
    verdict: verdict === null ? Verdict.UNSPECIFIED : Verdict[verdict],
    ...findingsOf(result, isSent),
  };
}

function summaryOf(
  report: ObjectReport,
  { modules }: FakeTarget,
  isSent: IsSent,
): MessageInitShape<typeof ObjectSummarySchema> {
  const { verdict, counts, notJudged, byteOrder, loaderRelease } = report;
  const { dependsOnAllModules, dependsOnKernelVersion } = report;
  return {
    verdict: Verdict[verdict],
    counts: counts.map(({ verdict: counted, relocations, needs, programs }) => ({
      verdict: Verdict[counted],
      relocations,
      needs,
      programs,
    })),
    notJudged: [...notJudged],
    modules: modules
      .filter(({ name }) => report.modules.includes(name))
      .map((module) => module.info([InfoDetail.DIGEST])),
    dependsOnAllModules,
    dependsOnKernelVersion,
    byteOrder: byteOrder === 'little' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
    loaderRelease,
    ...findingsOf(report, isSent),
  };
}

/** Returns the version in a release as in `LINUX_KERNEL_VERSION`; 0 if it has none. */
function versionOf(release: string): number {
  const [, major = 0, minor = 0, patch = 0] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release) ?? [];
  return (Number(major) << 16) | (Number(minor) << 8) | Math.min(Number(patch), 255);
}
