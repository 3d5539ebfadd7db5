/** Word is a word that may stand at the cursor. */
export interface Word {
  readonly text: string;
  /** A few words about it, which zsh and fish show; empty for none. */
  readonly about: string;
}

/** Answer is what completes the word at the cursor. */
export type Answer =
  /** Words. `head` is the part of the typed word before them, such as `--output=` or `task_struct.`. */
  | { readonly kind: 'words'; readonly head: string; readonly words: readonly Word[] }
  /** Names of files or of folders, after the head. The shell completes them. */
  | { readonly kind: 'files' | 'folders'; readonly head: string }
  /** Another command with its arguments, after `--`. The shell completes it. */
  | { readonly kind: 'command'; readonly head: string };

/** NOTHING completes nothing, not even files. */
export const NOTHING: Answer = { kind: 'words', head: '', words: [] };

/**
 * The names that are offered, also those of folders. They have no character that a shell or a terminal would interpret, because
 * names of objects and types come from other machines.
 */
const PLAIN = /^[A-Za-z0-9_.][A-Za-z0-9_.@-]{0,255}\/?$/;

/** The most names of an answer. Shells take some milliseconds for so many. */
const MAX_NAMES = 1000;

/** words returns the words of the grammar that start with what is typed. */
export function words(
  typed: string,
  known: readonly string[],
  about: (word: string) => string = () => '',
): Answer {
  const found = known.filter((word) => word.startsWith(typed));
  return { kind: 'words', head: '', words: found.map((text) => ({ text, about: about(text) })) };
}

/**
 * plainWords returns the names of a daemon or a file that start with what is typed, sorted and each once. Names that are not plain
 * are left out. Of more than 1000 names, the first 999 and the last are returned: they share the same beginning as all.
 */
export function plainWords(typed: string, names: Iterable<string>): Answer {
  const found = new Set<string>();
  for (const name of names) if (name.startsWith(typed) && PLAIN.test(name)) found.add(name);
  const sorted = [...found].toSorted();
  return words(
    typed,
    sorted.length <= MAX_NAMES ? sorted : [...sorted.slice(0, MAX_NAMES - 1), ...sorted.slice(-1)],
  );
}

/** after returns an answer for a word of which the beginning is left out. */
export function after(head: string, answer: Answer): Answer {
  return { ...answer, head: head + answer.head };
}

/** joined returns the words of both, if they are for the whole word or for the same part of it; otherwise the first. */
export function joined(first: Answer, second: Answer): Answer {
  if (first.kind !== 'words' || second.kind !== 'words' || first.head !== second.head) return first;
  return { ...first, words: [...first.words, ...second.words] };
}
