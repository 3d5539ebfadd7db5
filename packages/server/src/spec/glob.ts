import { invalidRequest } from '../error/invalid-request.js';

const MAX_GLOB_LENGTH = 256;

/** Matcher says whether a name matches. */
export type Matcher = (name: string) => boolean;

type Step = { readonly kind: 'any' } | { readonly kind: 'one'; readonly accepts: (char: string) => boolean };

/** compileGlobs compiles the globs of a request's field. */
export function compileGlobs(field: string, globs: readonly string[]): Matcher[] {
  return globs.map((glob, index) => {
    const path = `${field}[${index}]`;
    if (glob === '') throw invalidRequest(path, 'is empty');
    if (glob.length > MAX_GLOB_LENGTH) {
      throw invalidRequest(path, `has ${glob.length} characters; at most ${MAX_GLOB_LENGTH} are allowed`);
    }
    return compileGlob(path, glob);
  });
}

/**
 * `*` any characters, `?` one, `[a-z]` one of a range, `[!a-z]` one outside it. Not made into a regular
 * expression: those take exponential time on some globs, this at most length of glob times length of name.
 */
function compileGlob(path: string, glob: string): Matcher {
  const steps = parseSteps(path, glob);
  return (name) => {
    let step = 0;
    let starStep = -1;
    let starAt = 0;
    for (let at = 0; at < name.length;) {
      const current = steps[step];
      if (current?.kind === 'any') {
        starStep = step++;
        starAt = at;
      } else if (current?.kind === 'one' && current.accepts(name.charAt(at))) {
        step += 1;
        at += 1;
      } else if (starStep >= 0) {
        // Let the last `*` take one more character.
        step = starStep + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    return steps.slice(step).every(({ kind }) => kind === 'any');
  };
}

function parseSteps(path: string, glob: string): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    if (char === '*') {
      if (steps.at(-1)?.kind !== 'any') steps.push({ kind: 'any' });
    } else if (char === '?') {
      steps.push({ kind: 'one', accepts: () => true });
    } else if (char === '[') {
      const end = glob.indexOf(']', glob[at + 1] === '!' ? at + 3 : at + 2);
      if (end < 0) throw invalidRequest(path, `the "[" at ${at} has no "]"`);
      steps.push({ kind: 'one', accepts: parseClass(glob.slice(at + 1, end)) });
      at = end;
    } else {
      steps.push({ kind: 'one', accepts: (other) => other === char });
    }
  }
  return steps;
}

function parseClass(text: string): (char: string) => boolean {
  const negated = text.startsWith('!');
  const body = negated ? text.slice(1) : text;
  const ranges: [string, string][] = [];
  for (let at = 0; at < body.length; at++) {
    const from = body.charAt(at);
    const isRange = body[at + 1] === '-' && at + 2 < body.length;
    ranges.push([from, isRange ? body.charAt(at + 2) : from]);
    if (isRange) at += 2;
  }
  return (char) => ranges.some(([from, to]) => from <= char && char <= to) !== negated;
}
