import { RULES } from './rules.js';

/** Matches before a sentence: at the start of the text, and after a full stop, a bullet, a blank line or a tag. */
const OPENING =
  /(?:^|\n)\s*(?:[-*]|\d+[.])\s+|@throws(?:\s+[A-Z]\w*)?\s+|@returns\s+|[.!?:]["')\]*_]*\s+|\n\s*\n\s*|^\s*/g;

const WHOLE = RULES.filter(({ opens }) => opens !== true).map(({ pattern, advice }) => ({
  pattern: withAnySpace(pattern, 'g'),
  advice,
}));
const OPENS = RULES.filter(({ opens }) => opens === true).map(({ pattern, advice }) => ({
  pattern: withAnySpace(pattern, 'y'),
  advice,
}));

/**
 * findHits returns each place in a text that a rule rejects, in order.
 *
 * @param {string} text
 * @returns {{ offset: number, found: string, advice: string }[]}
 */
export function findHits(text) {
  const hits = [...inWhole(text), ...inOpenings(text)];
  return hits.toSorted((one, other) => one.offset - other.offset);
}

function* inWhole(text) {
  for (const { pattern, advice } of WHOLE) {
    for (const { 0: found, index: offset } of text.matchAll(pattern)) yield { offset, found, advice };
  }
}

function* inOpenings(text) {
  const begins = new Set([...text.matchAll(OPENING)].map((match) => match.index + match[0].length));
  for (const offset of begins) {
    if (isQuestion(text.slice(offset))) continue;
    for (const { pattern, advice } of OPENS) {
      pattern.lastIndex = offset;
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) yield { offset, found, advice };
    }
  }
}

/** Whether the first sentence of a text ends with a question mark. */
function isQuestion(text) {
  return /^(?:[^.!?\n]|\n(?!\s*\n)|[.](?=\S))*\?/.test(text);
}

function withAnySpace(pattern, flag) {
  return new RegExp(pattern.source.replaceAll(' ', '\\s+'), pattern.flags + flag);
}
