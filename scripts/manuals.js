import { writeManPages } from './man-pages.js';

/** The packages with a manual, each with a function that writes it into a folder. */
const MANUALS = {
  '@btfd/cli': async (dir, version) => {
    const { makeProgram } = await import('../packages/cli/dist/program.js');
    const { EXIT_MEANINGS, ExitCode } = await import('../packages/cli/dist/error/exit-code.js');
    const io = { stdout: process.stdout, stderr: process.stderr, env: {} };
    const run = { io, interrupted: new AbortController().signal, ended: () => {} };
    return writeManPages(makeProgram(run, process.stdout), {
      dir,
      version,
      section: 1,
      commandPages: true,
      statuses: Object.entries(ExitCode).map(([name, status]) => [status, EXIT_MEANINGS[name]]),
      seeAlso: ['btfd(8)', 'bpftool-btf(8)', 'pahole(1)'],
    });
  },
  '@btfd/server': async (dir, version) => {
    const { makeCommandLine } = await import('../packages/server/dist/program/command-line.js');
    return writeManPages(makeCommandLine(() => {}).program, {
      dir,
      version,
      section: 8,
      commandPages: false,
      statuses: [],
      seeAlso: ['btfctl(1)'],
    });
  },
};

/**
 * writeManual writes the pages of a package's manual into a folder, from the grammar of its program.
 *
 * @param {{ name: string; version: string }} manifest its package.json
 * @param {string} dir
 * @returns {Promise<string[]>} the names of the files; none for a package without a program
 */
export async function writeManual({ name, version }, dir) {
  return (await MANUALS[name]?.(dir, version)) ?? [];
}
