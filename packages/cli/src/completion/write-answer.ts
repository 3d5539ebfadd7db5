import type { Shell } from '../grammar/completion.js';
import type { Answer, Word } from './answer.js';

/** Typed is the word at the cursor. */
export interface Typed {
  /** The word as it was typed, up to the cursor. For bash only the part that bash replaces. */
  readonly raw: string;
  /** The same without quotes; for bash the whole word. */
  readonly current: string;
}

/** WRITE_ANSWER makes the lines of an answer for the script of a shell. The first line has the kind. */
export const WRITE_ANSWER: Readonly<Record<Shell, (answer: Answer, typed: Typed) => readonly string[]>> = {
  bash: bashLines,
  zsh: zshLines,
  fish: fishLines,
};

/** The ends of words that go on, for example folders. fish adds no space after these either. */
const OPEN = /[/.=:,]$/;

/**
 * Words continue what was typed, with its quotes: the rest of each needs none. The kind is `open` if the only word goes on. Files
 * are for bash to complete, which begins after an equals sign or a colon on its own.
 */
function bashLines(answer: Answer, { raw, current }: Typed): readonly string[] {
  if (answer.kind !== 'words') return [answer.kind];
  const words = answer.words.map(({ text }) => raw + (answer.head + text).slice(current.length));
  return [words.length === 1 && OPEN.test(words[0] ?? '') ? 'open' : 'words', ...words];
}

/** The kind has two numbers: the length of what is typed before the words, and the number of words that go on, which are first. */
function zshLines(answer: Answer, { raw }: Typed): readonly string[] {
  const { kind, head } = answer;
  // The head ends with a character that the rest does not have.
  const length = head === '' ? 0 : raw.lastIndexOf(head.slice(-1)) + 1;
  if (kind !== 'words') return [`${kind} ${length} 0`];
  const open = answer.words.filter(({ text }) => OPEN.test(text));
  const ended = answer.words.filter(({ text }) => !OPEN.test(text));
  return [`${kind} ${length} ${open.length}`, ...[...open, ...ended].map(zshWord)];
}

function zshWord({ text, about }: Word): string {
  const word = text.replaceAll(':', String.raw`\:`);
  return about === '' ? word : `${word}:${about}`;
}

/** Words are whole, without quotes: fish adds them. */
function fishLines(answer: Answer): readonly string[] {
  if (answer.kind !== 'words') return [answer.kind];
  return [
    answer.kind,
    ...answer.words.map(({ text, about }) => `${answer.head}${text}${about === '' ? '' : `\t${about}`}`),
  ];
}
