/** Duration is a `google.protobuf.Duration`. Its library would load the code of all messages. */
export interface Duration {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** durationMs returns a duration in milliseconds, rounded. */
export function durationMs({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + Math.round(nanos / 1e6);
}

/** durationOf returns the duration of a whole number of milliseconds. */
export function durationOf(ms: number): Duration {
  const seconds = Math.trunc(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1e6 };
}
