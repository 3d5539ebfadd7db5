import { codeOf, ConfigFileError, messageOf, notFound } from '../error/cli-error.js';
import { readPath } from '../source/read-file.js';

/**
 * readConfigText reads a config file, and returns null if there is none. It is separate from `ConfigFile`, so that YAML is
 * only loaded if there is a file.
 *
 * @param mustExist whether a missing file is an error, as for a file that `--config` names.
 * @throws CliError NOT_FOUND if the file is missing and must exist; USAGE if it cannot be read. The reason of `interrupted`.
 */
export async function readConfigText(
  path: string,
  mustExist: boolean,
  interrupted: AbortSignal,
): Promise<string | null> {
  try {
    return Buffer.from(await readPath(path, interrupted)).toString();
  } catch (error) {
    interrupted.throwIfAborted();
    if (!isMissing(codeOf(error)))
      throw new ConfigFileError(`cannot read the config file: ${messageOf(error)}`);
  }
  if (!mustExist) return null;
  throw notFound(
    `there is no config file ${path}`,
    `\`btfctl --config ${path} context set NAME --address ADDRESS\` creates it`,
  );
}

/**
 * isMissing reports whether the code of a system error means that there is no such file. ENOTDIR is that of users whose home
 * is not a folder, as of many services.
 */
export function isMissing(code: unknown): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}
