import { BtfFormatError } from '../format-error.js';

/** formatErrorOf returns the BtfFormatError that a function throws. Any other error, or none, fails the test. */
export function formatErrorOf(run: () => unknown): BtfFormatError {
  try {
    run();
  } catch (error) {
    if (error instanceof BtfFormatError) return error;
    throw error;
  }
  throw new Error('did not throw');
}
