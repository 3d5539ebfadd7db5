import type {
  BpfLoader,
  Need,
  ObjectSummary,
  ProgramResult,
  RelocationFinding,
  ResolvedRelocation,
} from '@btfd/btf';
import type { HandleInfo } from './handle-info.js';

/** RemoteRelocation is a CO-RE relocation: the part of a `ResolvedRelocation` of `@btfd/btf` that the daemon returns. */
export interface RemoteRelocation extends Omit<
  ResolvedRelocation,
  'program' | 'loadedFor' | 'outcome' | 'reason'
> {
  /** The program or subprogram that has the instruction; null if none does. */
  readonly program: { readonly name: string } | null;
  /** `UNKNOWN` from a daemon of a later release. */
  readonly outcome: ResolvedRelocation['outcome'] | 'UNKNOWN';
}

/** RemoteRelocationFinding is a relocation with what it means for the load, as a `RelocationFinding` of `@btfd/btf`. */
export interface RemoteRelocationFinding extends Omit<RelocationFinding, 'relocation'> {
  readonly relocation: RemoteRelocation;
}

/** RemoteNeed is something else that an object needs of the kernel, as a `Need` of `@btfd/btf`. */
export interface RemoteNeed extends Omit<Need, 'kind'> {
  /** `UNKNOWN` from a daemon of a later release. */
  readonly kind: Need['kind'] | 'UNKNOWN';
}

/** RemoteProgramResult says whether a program fits the kernel, as a `ProgramResult` of `@btfd/btf`. */
export interface RemoteProgramResult extends Omit<ProgramResult, 'relocations' | 'needs'> {
  /** Also those of the subprograms that it uses. Without `all`, only those with `GUARDED` or a worse verdict. */
  readonly relocations: readonly RemoteRelocationFinding[];
  /** Without `all`, only those with `GUARDED` or a worse verdict. */
  readonly needs: readonly RemoteNeed[];
}

/** ObjectReportHeader says which object is checked against which kernel, by which rules. */
export interface ObjectReportHeader {
  /** The SHA-256 of the object as it was sent, without the sections that no loader reads, in hexadecimal. */
  readonly objectDigest: string;
  readonly loader: BpfLoader;
  /** The kernel's release, as `uname -r` prints it; empty if `kernel` is not the BTF of the running kernel. */
  readonly kernelRelease: string;
  /** The machine's architecture, as `uname -m` prints it; empty if `kernel` is not the BTF of the running kernel. */
  readonly machine: string;
  /** The BTF of the kernel, with its digest. */
  readonly kernel: HandleInfo;
  /** The kernel's version that was used, as in `LINUX_KERNEL_VERSION`; null if it is unknown. */
  readonly kernelVersion: number | null;
}

/** RemoteObjectSummary says whether an object fits the kernel, as an `ObjectSummary` of `@btfd/btf`. */
export interface RemoteObjectSummary extends Omit<
  ObjectSummary,
  'loader' | 'needs' | 'relocations' | 'modules'
> {
  /** The needs of the object itself. Without `all`, only those with `GUARDED` or a worse verdict. */
  readonly needs: readonly RemoteNeed[];
  /** Relocations that make the loader refuse the object, in functions that no loaded program uses. */
  readonly relocations: readonly RemoteRelocationFinding[];
  /**
   * The modules whose BTF was read, with their digests. The report is the same on each kernel with the same vmlinux and the same
   * of these modules, unless `dependsOnAllModules` or `dependsOnKernelVersion` is true.
   */
  readonly modules: readonly HandleInfo[];
}

/** ObjectReport says whether a BPF object fits a kernel. It has the verdict of `checkObject` of `@btfd/btf`. */
export interface ObjectReport extends ObjectReportHeader, RemoteObjectSummary {
  /** The programs in the order of their sections and instructions. Subprograms are parts of them. */
  readonly programs: readonly RemoteProgramResult[];
}

/** ObjectReportPart is a part of an {@link ObjectReport}: first the header, then each program, last the summary. */
export type ObjectReportPart =
  | { readonly type: 'header'; readonly header: ObjectReportHeader }
  | { readonly type: 'program'; readonly program: RemoteProgramResult }
  | { readonly type: 'summary'; readonly summary: RemoteObjectSummary };

/** joinReport returns the report that has some parts. The parts end with the summary. */
export async function joinReport(parts: AsyncIterable<ObjectReportPart>): Promise<ObjectReport> {
  let header: ObjectReportHeader | null = null;
  let summary: RemoteObjectSummary | null = null;
  const programs: RemoteProgramResult[] = [];
  for await (const part of parts) {
    if (part.type === 'header') header = part.header;
    else if (part.type === 'program') programs.push(part.program);
    else summary = part.summary;
  }
  if (header === null || summary === null) throw new TypeError('the parts have no header or no summary');
  return { ...header, programs, ...summary };
}
