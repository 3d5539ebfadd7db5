import { BtfReadError } from '../format-error.js';

/** readErrorOf returns the BtfReadError that a function throws. Any other error, or none, fails the test. */
export function readErrorOf(run: () => unknown): BtfReadError {
  try {
    run();
  } catch (error) {
    if (error instanceof BtfReadError) return error;
    throw error;
  }
  throw new Error('did not throw');
}
