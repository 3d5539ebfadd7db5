// Fails if the generated code differs from the output of buf for proto/:
//
//     pnpm generated:check
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GENERATED = 'packages/api/src/gen';
const kept = mkdtempSync(join(tmpdir(), 'btfd-generated-'));
try {
  cpSync(GENERATED, kept, { recursive: true });
  execFileSync('buf', ['generate'], { stdio: 'inherit' });
  execFileSync('diff', ['-r', kept, GENERATED], { stdio: 'inherit' });
} catch (error) {
  console.error(`${GENERATED} was not current, and now is: commit it. ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(kept, { recursive: true });
}
