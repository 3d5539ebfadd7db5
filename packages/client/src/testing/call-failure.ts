import type { FailureInit } from './failure.js';

/** CallFailure ends a stream of a fake daemon with a status. */
export class CallFailure extends Error {
  constructor(readonly init: FailureInit) {
    super('the call fails');
  }
}
