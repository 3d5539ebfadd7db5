import { clientError } from '../error/btf-error.js';

type Native = typeof import('@btfd/native');

/**
 * nativePackage loads `@btfd/native`, an optional peer dependency.
 *
 * @param load - imports it
 * @throws BtfError NATIVE_MISSING that names the command that installs it.
 */
export async function nativePackage(
  load: () => Promise<Native> = async () => import('@btfd/native'),
): Promise<Native> {
  try {
    return await load();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `file descriptors need the package @btfd/native: install it with \`npm install @btfd/native\` (${why})`;
    throw clientError('NATIVE_MISSING', message, { cause: error });
  }
}
