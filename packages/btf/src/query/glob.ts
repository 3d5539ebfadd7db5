/** NameTest reports whether a name matches. */
export type NameTest = (name: string) => boolean;

/** GlobError reports a mistake in a glob and its place. */
export class GlobError extends Error {
  override readonly name = 'GlobError';
}

type Step = { readonly kind: 'any' } | { readonly kind: 'one'; readonly accepts: NameTest };

/**
 * compileGlob compiles a glob to a test of names: `*` stands for any characters, `?` for one, `[a-z]` for one in a
 * range, `[!a-z]` or `[^a-z]` for one outside it. It does not use a regular expression, which takes exponential time
 * for some globs. The test takes at most the length of the glob times the length of the name.
 *
 * @throws GlobError for a `[` without its `]`, and for a range whose end comes before its start.
 */
export function compileGlob(glob: string): NameTest {
  const steps = parseSteps(glob);
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
        // Let the last `*` match one more character.
        step = starStep + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    return steps.slice(step).every(({ kind }) => kind === 'any');
  };
}

/** isGlob reports whether a text contains a wildcard. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

function parseSteps(glob: string): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    if (char === '*') {
      if (steps.at(-1)?.kind !== 'any') steps.push({ kind: 'any' });
    } else if (char === '?') {
      steps.push({ kind: 'one', accepts: () => true });
    } else if (char === '[') {
      const first = isNegation(glob.charAt(at + 1)) ? at + 2 : at + 1;
      // A "]" that comes first stands for itself.
      const end = glob.indexOf(']', first + 1);
      if (end < 0) throw new GlobError(`the "[" at ${at} has no "]"`);
      steps.push({ kind: 'one', accepts: parseClass(glob, first, end) });
      at = end;
    } else {
      steps.push({ kind: 'one', accepts: (other) => other === char });
    }
  }
  return steps;
}

function isNegation(char: string): boolean {
  return char === '!' || char === '^';
}

function parseClass(glob: string, first: number, end: number): NameTest {
  const negated = isNegation(glob.charAt(first - 1));
  const ranges: [string, string][] = [];
  for (let at = first; at < end; at++) {
    const from = glob.charAt(at);
    const isRange = glob[at + 1] === '-' && at + 2 < end;
    const to = isRange ? glob.charAt(at + 2) : from;
    if (to < from) throw new GlobError(`the range "${from}-${to}" at ${at} runs backwards`);
    ranges.push([from, to]);
    if (isRange) at += 2;
  }
  return (char) => ranges.some(([from, to]) => from <= char && char <= to) !== negated;
}
