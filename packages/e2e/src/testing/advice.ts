import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'rolldown/parseAst';

const PACKAGES = fileURLToPath(new URL('../../..', import.meta.url));

/** A command between backquotes, or an option. */
const NAMES = /`(?:btfctl|btfd) |(?:^|[^\w-])--?[a-z]/;

/**
 * adviceIn returns the texts in the sources of a package that name a command or an option, each with `…` for its parts that
 * are not constant: the hints, and the errors that are hints, too.
 *
 * @param left the files to leave out, such as those that declare options.
 */
export function adviceIn(name: string, left: RegExp): string[] {
  const src = join(PACKAGES, name, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !left.test(file),
  );
  const texts = files.flatMap((file) =>
    Array.from(textsIn(parseAst(readFileSync(join(src, file), 'utf8'), { lang: 'ts' }).body)),
  );
  return [...new Set(texts.filter((text) => NAMES.test(text)))].toSorted();
}

function* textsIn(node: unknown): Generator<string, void, undefined> {
  if (typeof node !== 'object' || node === null) return;
  if ('type' in node && node.type === 'Literal' && 'value' in node && typeof node.value === 'string') {
    yield node.value;
  }
  if ('type' in node && node.type === 'TemplateLiteral' && 'quasis' in node && Array.isArray(node.quasis)) {
    yield node.quasis.map(cooked).join('…');
  }
  for (const part of Object.values(node)) yield* textsIn(part);
}

function cooked(quasi: { readonly value: { readonly cooked: string } }): string {
  return quasi.value.cooked;
}

/** isPrinted reports whether output has a text of {@link adviceIn}. */
export function isPrinted(text: string, output: string): boolean {
  let at = 0;
  for (const part of text.split('…')) {
    at = output.indexOf(part, at);
    if (at === -1) return false;
    at += part.length;
  }
  return true;
}
