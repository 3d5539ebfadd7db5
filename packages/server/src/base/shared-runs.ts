/** SharedRuns runs something one at a time. Who asks while it runs gets the next run, with all others who do. */
export class SharedRuns<T> {
  private following: Promise<T> | null = null;
  private idle: Promise<unknown> = Promise.resolve();

  constructor(private readonly run: () => Promise<T>) {}

  /** The outcome of a run that begins from now on. */
  async next(): Promise<T> {
    this.following ??= this.start();
    return this.following;
  }

  private start(): Promise<T> {
    const running = this.idle.then(() => {
      this.following = null;
      return this.run();
    });
    this.idle = running.catch(() => {});
    return running;
  }
}
