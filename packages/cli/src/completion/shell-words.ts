/** TypedWords are the words of a command line up to the cursor, as the command would get them. */
export interface TypedWords {
  /** The words before the one at the cursor. The first is the program. */
  readonly before: readonly string[];
  /** The word at the cursor, up to the cursor. */
  readonly current: string;
  /** Whether the word at the cursor is the file of a redirection. */
  readonly isRedirection: boolean;
}

/** The characters that a backslash makes literal within double quotes. */
const ESCAPED_IN_QUOTES = '"\\$`';

/** Characters that end a word, if they are not quoted. */
const SEPARATORS = ' \t\n<>|&;()';

/** The whole of a redirection operator, such as >> or >&, which may have the number of a file before it. */
const REDIRECTION = /^[<>][<>&|]*/;

/**
 * splitWords splits a command line as bash does, but runs and expands nothing: `$HOME` and `$(command)` stay as they are.
 * Redirections are left out.
 *
 * @param line the line up to the cursor.
 */
export function splitWords(line: string): TypedWords {
  const before: string[] = [];
  let isRedirection = false;
  for (let at = 0; ;) {
    while (at < line.length && ' \t\n'.includes(line.charAt(at))) at += 1;
    const { word, end } = readWord(line, at, SEPARATORS);
    if (end === line.length) return { before, current: word, isRedirection };
    const [operator] = REDIRECTION.exec(line.slice(end)) ?? [];
    // The number of a file directly before an operator is a part of it.
    const isWord = end > at && !isRedirection && !(operator !== undefined && /^\d+$/.test(word));
    if (isWord) before.push(word);
    if (end > at) isRedirection = false;
    if (operator !== undefined) isRedirection = true;
    // Another separator cannot occur: the shell passes the line of one command.
    at = end + (operator?.length ?? 1);
  }
}

/** unquoted returns a word without its quotes, one of which may still be open. Spaces do not end it. */
export function unquoted(word: string): string {
  return readWord(word, 0, '').word;
}

function readWord(line: string, start: number, separators: string): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = start;
  for (; at < line.length; at++) {
    const char = line.charAt(at);
    const next = line.charAt(at + 1);
    if (quote === '' && separators.includes(char)) break;
    if (char === quote || (quote === '' && (char === '"' || char === "'"))) {
      quote = quote === '' ? char : '';
    } else if (char === '\\' && isEscape(quote, next)) {
      word += next;
      at += 1;
    } else {
      word += char;
    }
  }
  return { word, end: at };
}

function isEscape(quote: string, next: string): boolean {
  if (quote === "'" || next === '') return false;
  return quote === '' || ESCAPED_IN_QUOTES.includes(next);
}
