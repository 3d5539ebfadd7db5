import { describe } from '@jest/globals';
import { btfGetNextId } from '@btfd/native';
import { whyNoBpftool } from './bpftool.js';

/**
 * describeKernel is `describe` for tests that need the kernel with CAP_SYS_ADMIN, and bpftool. They are
 * skipped elsewhere, with the reason printed, but never with `BTFD_REQUIRE_KERNEL=1`.
 */
export function describeKernel(name: string, tests: () => void): void {
  const reason = process.env['BTFD_REQUIRE_KERNEL'] === '1' ? null : whyNot();
  if (reason === null) {
    describe(name, tests);
    return;
  }
  process.stderr.write(`skipped: ${name}: ${reason}\n`);
  describe.skip(name, tests);
}

function whyNot(): string | null {
  try {
    btfGetNextId(0);
    return whyNoBpftool();
  } catch (error) {
    return String(error);
  }
}
