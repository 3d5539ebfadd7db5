import { status } from '@grpc/grpc-js';

/** CallEnded is why a call's signal aborted: its client went away, or its deadline came. */
export class CallEnded extends Error {
  override readonly name = 'CallEnded';

  private constructor(
    readonly code: status.CANCELLED | status.DEADLINE_EXCEEDED,
    message: string,
  ) {
    super(message);
  }

  static cancelled(): CallEnded {
    return new CallEnded(status.CANCELLED, 'the call was cancelled');
  }

  static deadline(): CallEnded {
    return new CallEnded(status.DEADLINE_EXCEEDED, 'the deadline was exceeded');
  }
}
