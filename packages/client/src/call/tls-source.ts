import { BtfError } from '../error/btf-error.js';
import { contentsNow, type FileContents, firstContents } from './tls-files.js';
import { type TlsKeys, tlsKeys } from './tls-keys.js';
import { aTlsOptions, isTlsFiles, type Tls, type TlsFiles, type TlsOptions } from './tls-options.js';

/** TlsSource has the keys of the connections of one client or of many. It needs no timer: it looks when it is asked. */
export interface TlsSource {
  /**
   * current returns the keys for a new connection: the same object as before unless they have changed.
   *
   * @throws BtfError INVALID_REQUEST, or what the function of the options throws, if there are none.
   */
  current(): Promise<TlsKeys>;
}

/** tlsSource returns the keys of options. @throws BtfError INVALID_REQUEST for contents or files that cannot be used. */
export function tlsSource(tls: Tls): TlsSource {
  if (typeof tls === 'function') return new SharedSource(new FunctionSource(tls));
  if (isTlsFiles(tls)) return new SharedSource(new FileSource(tls));
  const keys = tlsKeys(tls);
  return { current: async () => keys };
}

/** SharedSource looks once for all that ask at the same time. */
class SharedSource implements TlsSource {
  readonly #source: TlsSource;
  #looking: Promise<TlsKeys> | null = null;

  constructor(source: TlsSource) {
    this.#source = source;
  }

  async current(): Promise<TlsKeys> {
    this.#looking ??= this.#source.current().finally(() => (this.#looking = null));
    return this.#looking;
  }
}

class FunctionSource implements TlsSource {
  readonly #load: () => TlsOptions | Promise<TlsOptions>;
  #last: { readonly options: TlsOptions; readonly keys: TlsKeys } | null = null;

  constructor(load: () => TlsOptions | Promise<TlsOptions>) {
    this.#load = load;
  }

  async current(): Promise<TlsKeys> {
    const { ca, cert, key, serverName } = checked(await this.#load());
    const options = { ca: copy(ca), cert: copy(cert), key: copy(key), serverName };
    if (this.#last === null || !isSame(options, this.#last.options)) {
      this.#last = { options, keys: tlsKeys(options) };
    }
    return this.#last.keys;
  }
}

class FileSource implements TlsSource {
  readonly #files: TlsFiles;
  #contents: FileContents;
  #keys: TlsKeys;
  #problem: string | null = null;

  constructor(files: TlsFiles) {
    this.#files = files;
    this.#contents = firstContents(files);
    this.#keys = this.#keysOf(this.#contents);
  }

  async current(): Promise<TlsKeys> {
    try {
      const contents = await contentsNow(this.#files, this.#contents);
      if (contents !== this.#contents) {
        this.#keys = this.#keysOf(contents);
        this.#contents = contents;
      }
      this.#problem = null;
    } catch (error) {
      if (!BtfError.isBtfError(error)) throw error;
      this.#report(error);
    }
    return this.#keys;
  }

  #keysOf(contents: FileContents): TlsKeys {
    return tlsKeys({ ...contents, serverName: this.#files.serverName });
  }

  #report(error: BtfError): void {
    if (error.message === this.#problem) return;
    this.#problem = error.message;
    const { onProblem } = this.#files;
    // In a microtask of its own: an error of the callback is the program's, as with any event.
    if (onProblem !== undefined) queueMicrotask(() => onProblem(error));
  }
}

/** @throws BtfError INVALID_REQUEST for a value that is not {@link TlsOptions}. */
function checked(options: TlsOptions): TlsOptions {
  aTlsOptions('tls()', options);
  return options;
}

/** The caller may use its buffer again. */
function copy(pem: TlsOptions['ca']): Buffer | undefined {
  return pem === undefined ? undefined : Buffer.from(pem);
}

function isSame(a: TlsOptions, b: TlsOptions): boolean {
  return (
    a.serverName === b.serverName &&
    (['ca', 'cert', 'key'] as const).every((part) => String(a[part]) === String(b[part]))
  );
}
