import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

/**
 * compileC compiles C text to an object file with BTF, which is split BTF if `base` names a file with its base. Needs
 * gcc, pahole and objcopy.
 */
export function compileC(text: string, object: string, base?: string): void {
  execFileSync('gcc', ['-g', '-c', '-x', 'c', '-', '-o', object], { input: text });
  // Not `pahole -J`: pahole 1.24 adds BTF to an object file with llvm-objcopy, which its package does not include.
  const btf = `${object}.pahole`;
  const split = base === undefined ? [] : ['--btf_base', base];
  execFileSync('pahole', [`--btf_encode_detached=${btf}`, ...split, object]);
  execFileSync('objcopy', ['--add-section', `.BTF=${btf}`, object]);
  rmSync(btf);
}
