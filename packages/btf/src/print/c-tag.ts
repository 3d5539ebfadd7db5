import type { TypeId } from '../types.js';
import type { CContext } from './c-context.js';
import type { TextOutput } from './text-output.js';

/** writeTag writes the name of a struct, union or enum after its keyword; nothing where it is anonymous. */
export function writeTag({ types, names, out }: CContext, id: TypeId): void {
  const name = types.name(id);
  if (name === 0) return;
  out.write(' ');
  writeNumbered(out, name, names.ofTag(id));
}

/** writeNumbered writes the name at a string offset, with its number where it is not the first of that name. */
export function writeNumbered(out: TextOutput, name: number, number: number): void {
  out.writeName(name);
  if (number === 1) return;
  out.write('___');
  out.writeNumber(number);
}
