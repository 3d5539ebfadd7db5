import { usageError } from './cli-error.js';

/**
 * compileGlob makes a test of a glob as the daemon knows them: `*` stands for any characters, `?` for one, `[a-z]`
 * for one of a range, `[!a-z]` for one outside of it. @throws CliError USAGE.
 */
export function compileGlob(glob: string): (text: string) => boolean {
  if (!isGlob(glob)) return (text) => text === glob;
  const pattern = glob.replaceAll(/\*+|\?|\[[!^]?\]?[^\]]*\]|[^]/g, (part) => {
    if (part.startsWith('*')) return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return classOf(part.slice(1, -1));
    return part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  });
  const regExp = compile(pattern, glob);
  return (text) => regExp.test(text);
}

function compile(pattern: string, glob: string): RegExp {
  try {
    return new RegExp(`^${pattern}$`, 'su');
  } catch {
    throw usageError(`${JSON.stringify(glob)} is no glob: the range in it makes no sense`);
  }
}

/** isGlob tells whether a text has anything that a glob gives a meaning. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

function classOf(inside: string): string {
  const negated = /^[!^]/.test(inside);
  const members = (negated ? inside.slice(1) : inside).replaceAll(/[\\\]^[]/g, String.raw`\$&`);
  return `[${negated ? '^' : ''}${members}]`;
}
