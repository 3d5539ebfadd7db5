import { describe } from '@jest/globals';

import { btfGetNextId } from '../index.js';

/** Returns why the kernel cannot serve these tests, or null if it can. */
function refusal(): string | null {
  try {
    btfGetNextId(0);
    return null;
  } catch (error) {
    return String(error);
  }
}

/** describeKernel is `describe` for tests that need bpf(2) and CAP_SYS_ADMIN. With `BTFD_REQUIRE_KERNEL=1` it never skips. */
export function describeKernel(name: string, tests: () => void): void {
  const reason = process.env['BTFD_REQUIRE_KERNEL'] === '1' ? null : refusal();
  if (reason === null) {
    describe(name, tests);
  } else {
    process.stderr.write(`skipped: ${name}: ${reason}\n`);
    describe.skip(name, tests);
  }
}
