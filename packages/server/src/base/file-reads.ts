/**
 * FileReads reads files one at a time, because each is megabytes. Who asks for one whose reading has not begun shares it;
 * who asks later gets another reading, because the file may have changed.
 */
export class FileReads<T> {
  private readonly waiting = new Map<string, Promise<T>>();
  private last: Promise<unknown> = Promise.resolve();

  /** What a reading that begins from now on gives. */
  async get(file: string, read: () => Promise<T>): Promise<T> {
    return this.waiting.get(file) ?? this.add(file, read);
  }

  private add(file: string, read: () => Promise<T>): Promise<T> {
    const reading = this.last.then(() => {
      this.waiting.delete(file);
      return read();
    });
    this.waiting.set(file, reading);
    this.last = reading.catch(() => {});
    return reading;
  }
}
