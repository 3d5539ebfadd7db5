/** Places are a number of places, for which who comes later waits in turn. */
export class Places {
  private readonly waiting = new Set<() => void>();

  constructor(private left: number) {}

  /**
   * Takes a place, once there is one.
   *
   * @throws the signal's reason if it aborts before.
   */
  async take(signal: AbortSignal): Promise<void> {
    if (this.left > 0) {
      this.left -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.waiting.delete(next);
        signal.removeEventListener('abort', aborted);
      };
      const next = (): void => {
        leave();
        resolve();
      };
      const aborted = (): void => {
        leave();
        reject(signal.reason);
      };
      this.waiting.add(next);
      signal.addEventListener('abort', aborted);
    });
  }

  /** Hands a place on. */
  free(): void {
    const [next] = this.waiting;
    if (next === undefined) this.left += 1;
    else next();
  }
}
