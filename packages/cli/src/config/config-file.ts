import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { usageError } from '../cli-error.js';
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

  /** @throws CliError USAGE for a file that cannot be read or makes no sense. */
  constructor(path: string) {
    this.path = path;
    const text = readIfThere(path);
    this.#document = parseDocument(text ?? '');
    const [error] = this.#document.errors;
    if (error !== undefined) throw usageError(`${path}: ${error.message.split('\n')[0] ?? 'is no YAML'}`);
    this.config = text === null ? EMPTY_CONFIG : readConfig(this.#document.toJS(), path);
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
    if (this.config.currentContext === name) this.#document.deleteIn(['current-context']);
    this.#write();
  }

  #write(): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    // Whoever reads at the same time sees the old or the new file, never a part.
    const temporary = `${this.path}.${process.pid}`;
    writeFileSync(temporary, this.#document.toString(), { mode: 0o600 });
    renameSync(temporary, this.path);
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && isNotThere(error.code)) return null;
    throw usageError(
      `cannot read the config file: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** ENOTDIR: of a user whose home is no folder, as that of many services is. */
function isNotThere(code: unknown): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
