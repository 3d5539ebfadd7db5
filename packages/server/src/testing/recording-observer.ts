import type { CallEnd, CallFacts, CallInfo, CallObserver } from '../grpc/interceptor/call-observer.js';

/** ObservedEnd is a call that has ended, with its facts. */
export interface ObservedEnd extends CallEnd {
  readonly method: string;
  readonly requestId: string;
  readonly facts: CallFacts;
}

/** RecordingObserver keeps everything that it observes. */
export class RecordingObserver implements CallObserver {
  readonly begun: CallInfo[] = [];
  readonly ended: ObservedEnd[] = [];

  begin(call: CallInfo): { end(end: CallEnd): void } {
    this.begun.push(call);
    return {
      end: (end) => {
        const { method, requestId, facts } = call;
        this.ended.push({ method, requestId, facts, ...end });
      },
    };
  }

  /** Waits until a number of calls has ended. */
  async ends(count: number): Promise<readonly ObservedEnd[]> {
    while (this.ended.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
    return this.ended;
  }
}
