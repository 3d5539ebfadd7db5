import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ConfigDocument, ConfigError, parseConfig } from '@btfd/client/contexts';
import { isMap, isScalar } from 'yaml';
import { CliError, ConfigFileError, messageOf } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { Config, Node } from './config.js';

/** ConfigFile is the config file, which need not exist. Changes keep the comments in it. */
export class ConfigFile {
  readonly path: string;
  readonly config: Config;
  readonly #document: ConfigDocument['document'];

  private constructor(path: string, { document, config }: ConfigDocument) {
    this.path = path;
    this.#document = document;
    this.config = config;
  }

  /**
   * parse parses the file. It loads YAML.
   *
   * @param text its text, or null if there is no file.
   * @throws CliError USAGE if it is invalid.
   */
  static async parse(path: string, text: string | null): Promise<ConfigFile> {
    try {
      return new ConfigFile(path, await parseConfig(text ?? '', path));
    } catch (error) {
      throw error instanceof ConfigError ? new ConfigFileError(error.problem, error.hint) : error;
    }
  }

  /** Makes a context the current one. */
  use(name: string): void {
    this.#document.setIn(['current-context'], name);
    this.#write();
  }

  /** Adds or replaces a context. */
  set(name: string, { address, tls }: Node): void {
    const files = tls && {
      ...(tls.caFile === undefined ? {} : { ca: tls.caFile }),
      ...(tls.certFile === undefined ? {} : { cert: tls.certFile }),
      ...(tls.keyFile === undefined ? {} : { key: tls.keyFile }),
      ...(tls.serverName === undefined ? {} : { 'server-name': tls.serverName }),
    };
    const document = this.#document;
    // A file or a key without a value has a scalar there, which takes no context.
    if (!isMap(document.contents)) document.contents = document.createNode({});
    if (!isMap(document.get('contexts'))) document.set('contexts', document.createNode({}));
    document.setIn(
      this.#pathOf(name),
      document.createNode(files === null ? { address } : { address, tls: files }),
    );
    this.#write();
  }

  /** Removes a context. If it is the current one, there is no current context afterwards. */
  remove(name: string): void {
    this.#document.deleteIn(this.#pathOf(name));
    if (this.config.currentContext === name) this.#deleteCurrent();
    this.#write();
  }

  /** Returns the path of a context. YAML reads a name such as 1 as a number. */
  #pathOf(name: string): readonly ['contexts', unknown] {
    const contexts = this.#document.get('contexts');
    const keys = isMap(contexts) ? contexts.items.map(({ key }) => (isScalar(key) ? key.value : key)) : [];
    return ['contexts', keys.find((key) => String(key) === name) ?? name];
  }

  /** Keeps the comment above `current-context`, which is often that of the whole file, above the next key. */
  #deleteCurrent(): void {
    const { contents } = this.#document;
    if (!isMap(contents)) return;
    const at = contents.items.findIndex(({ key }) => isScalar(key) && key.value === 'current-context');
    const [current] = contents.items.splice(at, 1);
    const next = contents.items[at];
    if (!isScalar(current?.key) || !isScalar(next?.key)) return;
    const comments = [current.key.commentBefore, next.key.commentBefore];
    next.key.commentBefore = comments.filter((comment) => typeof comment === 'string').join('\n') || null;
  }

  #write(): void {
    try {
      makeFolder(dirname(this.path));
      replaceFile(this.path, this.#document.toString());
    } catch (error) {
      throw new CliError(ExitCode.FAILURE, `cannot write the config file: ${messageOf(error)}`);
    }
  }
}

/** Node's `recursive` never returns if the kernel refuses a folder with ENOENT, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another btfctl may have created it meanwhile.
    if (!existsSync(path)) throw error;
  }
}

/** Replaces a file at once, so that a reader sees the old or the new text. A link to the file stays a link. */
function replaceFile(link: string, text: string): void {
  const exists = existsSync(link);
  const path = exists ? realpathSync(link) : link;
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode: exists ? statSync(path).mode & 0o777 : 0o600, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
