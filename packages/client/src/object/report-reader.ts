import type {
  CheckObjectResponse,
  ObjectHeader as HeaderMessage,
  ObjectSummary as SummaryMessage,
  ProgramResult as ProgramMessage,
} from '@btfd/api';
import { BYTE_ORDERS, LOADERS } from '../base/enum-numbers.js';
import { digestKey } from '../btf/raw-btf.js';
import type { Messages } from '../call/methods.js';
import { type BtfError, clientError, invalidResponse } from '../error/btf-error.js';
import { handleInfoFromMessage } from './handle-info.js';
import type {
  ObjectReportHeader,
  ObjectReportPart,
  RemoteNeed,
  RemoteObjectSummary,
  RemoteProgramResult,
  RemoteRelocationFinding,
} from './object-report.js';

/** An object has fewer programs, and a check with half as many findings of programs fails, so no report is longer. */
const MAX_PROGRAMS = 65_536;
const MAX_FINDINGS = 524_288;

interface Findings {
  readonly relocations: RemoteRelocationFinding[];
  readonly needs: RemoteNeed[];
}

/**
 * readReport returns the parts of a report in the messages of CheckObject: the header, each program when it is complete, and
 * the summary.
 *
 * @throws BtfError INVALID_RESPONSE if messages are out of order, or the last is missing.
 */
export async function* readReport(
  responses: AsyncIterable<CheckObjectResponse>,
  messages: Messages,
): AsyncGenerator<ObjectReportPart, void, undefined> {
  const reader = new ReportReader(messages);
  for await (const response of responses) {
    const part = reader.read(response);
    if (part !== null) yield part;
  }
  reader.end();
}

/** ReportReader puts the messages of a report together. */
class ReportReader {
  readonly #messages: Messages;
  #header: ObjectReportHeader | null = null;
  #programs = 0;
  #findings = 0;
  /** The findings of the program or summary that continues in the next message. */
  #begun: (Findings & { readonly name: string }) | null = null;
  #isComplete = false;

  constructor(messages: Messages) {
    this.#messages = messages;
  }

  /** Returns the part that a message completes; null if it continues in the next one. */
  read({ part }: CheckObjectResponse): ObjectReportPart | null {
    if (this.#isComplete) throw outOfOrder(`a ${part.case ?? 'part'} after the summary`);
    if (part.case === 'header') return this.#readHeader(part.value);
    if (this.#header === null) throw outOfOrder(`a ${part.case ?? 'part'} before the header`);
    switch (part.case) {
      case 'program':
        return this.#readProgram(part.value);
      case 'summary':
        return this.#readSummary(part.value);
      case undefined:
        throw invalidResponse('part that this client knows');
    }
  }

  /** @throws BtfError INVALID_RESPONSE if the report is not complete. */
  end(): void {
    if (!this.#isComplete) throw invalidResponse(this.#header === null ? 'header' : 'summary');
  }

  #readHeader(message: HeaderMessage): ObjectReportPart {
    if (this.#header !== null) throw outOfOrder('a second header');
    this.#header = headerOf(message);
    return { type: 'header', header: this.#header };
  }

  #readProgram(message: ProgramMessage): ObjectReportPart | null {
    const { name, section, programType, loaded, verdict, continued } = message;
    const findings = this.#join(`program ${section} ${name}`, message);
    if (continued) return null;
    this.#programs += 1;
    if (this.#programs > MAX_PROGRAMS) throw outOfOrder(`more than ${MAX_PROGRAMS} programs`);
    const program: RemoteProgramResult = {
      name,
      section,
      programType: programType === '' ? null : programType,
      loaded,
      verdict: this.#messages.decodeVerdict(verdict),
      ...findings,
    };
    return { type: 'program', program };
  }

  #readSummary(message: SummaryMessage): ObjectReportPart | null {
    const { verdict, counts, notJudged, modules, loaderRelease, continued } = message;
    const { dependsOnAllModules, dependsOnKernelVersion } = message;
    const findings = this.#join('summary', message);
    if (continued) return null;
    this.#isComplete = true;
    const byteOrder = BYTE_ORDERS[message.byteOrder];
    if (byteOrder === undefined) throw invalidResponse('byte order');
    const summary: RemoteObjectSummary = {
      loaderRelease,
      byteOrder,
      verdict: this.#messages.decodeVerdict(verdict) ?? 'UNKNOWN',
      counts: counts.flatMap(({ verdict: number, relocations, needs, programs }) => {
        const counted = this.#messages.decodeVerdict(number);
        return counted === null ? [] : [{ verdict: counted, relocations, needs, programs }];
      }),
      notJudged,
      modules: modules.map(handleInfoFromMessage),
      dependsOnAllModules,
      dependsOnKernelVersion,
      ...findings,
    };
    return { type: 'summary', summary };
  }

  /** Returns the findings of a message, after those of the messages that it continues. */
  #join(
    name: string,
    { relocations, needs, continued }: Pick<ProgramMessage, 'relocations' | 'needs' | 'continued'>,
  ): Findings {
    if (this.#begun !== null && this.#begun.name !== name) {
      throw outOfOrder(`a ${name} instead of the rest of the ${this.#begun.name}`);
    }
    this.#findings += relocations.length + needs.length;
    if (this.#findings > MAX_FINDINGS) throw outOfOrder(`more than ${MAX_FINDINGS} findings`);
    const findings: Findings = this.#begun ?? { relocations: [], needs: [] };
    for (const message of relocations) findings.relocations.push(this.#messages.decodeRelocation(message));
    for (const message of needs) findings.needs.push(this.#messages.decodeNeed(message));
    this.#begun = continued ? { name, ...findings } : null;
    return { relocations: findings.relocations, needs: findings.needs };
  }
}

function headerOf(message: HeaderMessage): ObjectReportHeader {
  const { objectDigest, kernelRelease, machine } = message;
  const loader = LOADERS[message.loader];
  if (loader === undefined) throw invalidResponse('loader');
  if (message.kernel === undefined) throw invalidResponse('kernel');
  return {
    objectDigest: digestKey(objectDigest),
    loader,
    kernelRelease,
    machine,
    kernel: handleInfoFromMessage(message.kernel),
    kernelVersion: message.kernelVersion === 0 ? null : message.kernelVersion,
  };
}

function outOfOrder(sent: string): BtfError {
  return clientError('INVALID_RESPONSE', `the daemon sent ${sent}`);
}
