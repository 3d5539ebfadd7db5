import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** pagerOf returns the pager to use: BTFD_PAGER, PAGER or less. Returns null if that is empty, `cat` or not installed. */
export function pagerOf(env: NodeJS.ProcessEnv): string | null {
  const command = (env['BTFD_PAGER'] ?? env['PAGER'] ?? 'less').trim();
  const [program = ''] = command.split(/\s+/);
  return program === '' || program === 'cat' || !isInPath(program, env) ? null : command;
}

function isInPath(program: string, env: NodeJS.ProcessEnv): boolean {
  const folders = program.includes('/') ? [''] : (env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      accessSync(folder === '' ? program : join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
