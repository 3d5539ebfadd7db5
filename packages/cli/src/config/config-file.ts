import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { type Document, isMap, isScalar, parseDocument, type YAMLParseError } from 'yaml';
import { CliError, codeOf, messageOf, notFound, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { type Config, EMPTY_CONFIG, type Node, readConfig } from './config.js';

/** configPath is where the config file lies: `BTFCTL_CONFIG`, else `btfd/config.yaml` in the folder of configurations. */
export function configPath(env: NodeJS.ProcessEnv): string {
  const named = env['BTFCTL_CONFIG'];
  if (named !== undefined && named !== '') return named;
  const folder = env['XDG_CONFIG_HOME'];
  // The XDG specification: a path that isn't absolute is to be ignored.
  const hasFolder = folder !== undefined && isAbsolute(folder);
  return join(hasFolder ? folder : join(env['HOME'] ?? homedir(), '.config'), 'btfd', 'config.yaml');
}

/** ConfigFile is the config file, which need not be there. Comments in it stay when it is changed. */
export class ConfigFile {
  readonly path: string;
  readonly config: Config;
  readonly #document: Document;

  /**
   * @param mustExist whether a file that is not there is an error, as one that was named.
   * @throws CliError NOT_FOUND; USAGE for a file that cannot be read or makes no sense.
   */
  constructor(path: string, mustExist: boolean) {
    this.path = path;
    const text = readIfThere(path);
    if (text === null && mustExist) {
      throw notFound(`there is no config file ${path}`, '`btfctl context set` makes it');
    }
    this.#document = parseDocument(text ?? '');
    const [error] = this.#document.errors;
    if (error !== undefined) throw usageError(`${path}: ${inWords(error)}`);
    this.config = text === null ? EMPTY_CONFIG : readConfig(valueOf(this.#document, path), path);
  }

  /** Makes a context the one that is used where none is named. */
  use(name: string): void {
    this.#document.setIn(['current-context'], name);
    this.#write();
  }

  /** Adds a context, or replaces it. */
  set(name: string, { address, tls }: Node): void {
    const files = tls && {
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.serverName === undefined ? {} : { 'server-name': tls.serverName }),
    };
    this.#document.setIn(
      ['contexts', name],
      this.#document.createNode(files === null ? { address } : { address, tls: files }),
    );
    this.#write();
  }

  /** Removes a context; where it is the current one, none is then. */
  remove(name: string): void {
    this.#document.deleteIn(['contexts', name]);
    if (this.config.currentContext === name) this.#deleteCurrent();
    this.#write();
  }

  /** The comment above it is often that of the whole file: it stays, above what comes next. */
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

/** Node's own way with `recursive` runs for ever where the kernel refuses a folder with ENOENT, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // It may have come meanwhile.
    if (!existsSync(path)) throw error;
  }
}

/** Whoever reads at the same time sees the old or the new file, never a part. A link to the file stays one. */
function replaceFile(link: string, text: string): void {
  const isThere = existsSync(link);
  const path = isThere ? realpathSync(link) : link;
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode: isThere ? statSync(path).mode & 0o777 : 0o600, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function inWords({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'has more than one document';
  return (message.split('\n')[0] ?? 'is no YAML').replace(/:$/, '');
}

function valueOf(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that grow too far.
    throw usageError(`${path}: ${messageOf(error)}`);
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isNotThere(codeOf(error))) return null;
    throw usageError(`cannot read the config file: ${messageOf(error)}`);
  }
}

/** ENOTDIR: of a user whose home is no folder, as that of many services is. */
function isNotThere(code: unknown): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
