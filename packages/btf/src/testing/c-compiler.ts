import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BtfFormatError } from '../format-error.js';
import { CPrinter, sourceOf } from '../print/c-printer.js';
import type { Spec } from '../spec.js';

/** compile checks a C text without writing anything, and returns the errors of the compiler. */
export function compile(compiler: string, text: string, flags: readonly string[] = []): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'btf-c-'));
  const path = join(folder, 'types.c');
  try {
    writeFileSync(path, text);
    const checks = ['-std=gnu11', '-fsyntax-only', '-w', ...flags, path];
    execFileSync(compiler, checks, { stdio: ['ignore', 'ignore', 'pipe'] });
    return [];
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const errors = output.split('\n').filter((line) => line.includes('error'));
    // A compiler that is missing or was killed prints none.
    return errors.length === 0 ? [String(error)] : errors;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Layouts is C text that defines all types of a spec and asserts the layout of those with a name. */
export interface Layouts {
  readonly text: string;
  readonly assertions: number;
}

/** layoutAssertions asserts the size of each named struct and union and the offset of each member except bitfields. */
export function layoutAssertions(spec: Spec): Layouts {
  const printer = new CPrinter(sourceOf(spec), {
    pointerSize: 8,
    maxBytes: 256 * 1024 * 1024,
    assertions: false,
  });
  for (const id of spec.typeIds(1)) printer.define(id);
  const lines = [printer.out.take()];
  for (const id of spec.typeIds(1)) {
    const type = spec.typeById(id);
    if ((type.kind !== 'STRUCT' && type.kind !== 'UNION') || type.name === '') continue;
    const tag = `${type.kind.toLowerCase()} ${printer.identifierOf(id)}`;
    lines.push(`_Static_assert(sizeof(${tag}) == ${type.size}, "size of ${tag}");`);
    for (const { name, bitOffset, bitfieldSize } of type.members) {
      if (name === '' || bitfieldSize > 0) continue;
      if (bitOffset % 8 !== 0) throw new BtfFormatError('MALFORMED', 'not a byte offset', { typeId: id });
      const at = `__builtin_offsetof(${tag}, ${name})`;
      lines.push(`_Static_assert(${at} == ${bitOffset / 8}, "offset of ${tag}.${name}");`);
    }
  }
  return { text: lines.join('\n'), assertions: lines.length - 1 };
}
