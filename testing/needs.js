import { describe, test } from '@jest/globals';
import { has, installCommand, labelOf } from './tools.js';

/**
 * needs returns `describe` and `test` for cases that need tools of the machine, by their names in tools.js. If a tool is
 * missing, they skip their cases, and mark them with the name of the tool for the summary at the end.
 *
 * @throws Error if a tool is missing and `BTFD_REQUIRE_TOOLS` is 1.
 */
export function needs(...names) {
  const missing = names.find((name) => !has(name));
  if (missing === undefined) return { describe, test };
  if (process.env['BTFD_REQUIRE_TOOLS'] === '1') {
    throw new Error(`${labelOf(missing)} is missing: ${installCommand([missing])}`);
  }
  return { describe: marked(describe.skip, missing), test: marked(test.skip, missing) };
}

/** has reports whether the machine has a tool. It is for set-up that only some cases of a suite need. */
export { has };
export { bpftoolC, compareC } from './bpftool-c.js';
export { DelegatedBpffs } from './delegated-bpffs.js';

function marked(skip, missing) {
  const mark = (name) => `[needs ${missing}] ${name}`;
  return Object.assign((name, ...rest) => skip(mark(name), ...rest), {
    each:
      (...table) =>
      (name, ...rest) =>
        skip.each(...table)(mark(name), ...rest),
  });
}
