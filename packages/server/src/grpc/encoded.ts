/** Encoded is an answer that was encoded already, on another thread. */
export class Encoded {
  constructor(readonly wire: Uint8Array) {}
}
