// Fails if the generated code differs from the output of buf for proto/:
//
//     pnpm generated:check
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GENERATED = 'packages/api/src/gen';
const kept = mkdtempSync(join(tmpdir(), 'btfd-generated-'));
try {
  cpSync(GENERATED, kept, { recursive: true });
  execFileSync('buf', ['generate'], { stdio: 'inherit' });
  const { status } = spawnSync('diff', ['-r', kept, GENERATED], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${GENERATED} was not current. It is now: commit it`);
    process.exitCode = 1;
  }
} finally {
  rmSync(kept, { recursive: true });
}
