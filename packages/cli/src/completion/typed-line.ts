import type { Command, Option } from 'commander';

/** TypedOption is an option on the line before the cursor. */
export interface TypedOption {
  readonly option: Option;
  /** Null if it takes none. */
  readonly value: string | null;
}

/** Cursor is what the word at the cursor is. */
export type Cursor =
  | { readonly kind: 'option' }
  | {
      readonly kind: 'value';
      readonly option: Option;
      /** The part of the word before the value: `--output=`, `-o`, or empty. */
      readonly head: string;
    }
  | { readonly kind: 'operand' };

/** TypedLine is a command line up to the cursor, by the grammar of the program. */
export interface TypedLine {
  readonly command: Command;
  readonly options: readonly TypedOption[];
  /** The words of the command before the cursor that are not options. */
  readonly operands: readonly string[];
  /** Whether `--` was typed, after which every word is an operand. */
  readonly isAfterDashes: boolean;
  readonly cursor: Cursor;
  /** The word at the cursor, up to the cursor. */
  readonly current: string;
}

/**
 * readLine reads a command line that need not be complete, and may have errors. Unknown options count as ones without a value.
 *
 * @param words the words after the name of the program, before the cursor.
 * @param current the word at the cursor.
 */
export function readLine(program: Command, words: readonly string[], current: string): TypedLine {
  let command = program;
  const options: TypedOption[] = [];
  const operands: string[] = [];
  let waiting: Option | null = null;
  let isAfterDashes = false;
  for (const word of words) {
    if (waiting !== null) {
      options.push({ option: waiting, value: word });
      waiting = null;
    } else if (isAfterDashes || !isOption(word)) {
      const below: Command | undefined = operands.length === 0 ? commandNamed(command, word) : undefined;
      if (below === undefined || isAfterDashes) operands.push(word);
      else command = below;
    } else if (word === '--') {
      isAfterDashes = true;
    } else {
      for (const { option, value } of optionsIn(command, word)) {
        if (value === null && takesValue(option)) waiting = option;
        else options.push({ option, value });
      }
    }
  }
  const line = { command, options, operands, isAfterDashes, current };
  if (waiting !== null) return { ...line, cursor: { kind: 'value', option: waiting, head: '' } };
  if (isAfterDashes || !current.startsWith('-')) return { ...line, cursor: { kind: 'operand' } };
  const last = optionsIn(command, current).at(-1);
  if (last === undefined || last.value === null) return { ...line, cursor: { kind: 'option' } };
  const head = current.slice(0, current.length - last.value.length);
  return { ...line, cursor: { kind: 'value', option: last.option, head } };
}

/** valueOf returns the first value of an option on the line, or its default; undefined if it has neither. */
export function valueOf({ command, options }: TypedLine, name: string): string | undefined {
  const typed = options.find(({ option }) => option.attributeName() === name)?.value;
  if (typed !== undefined && typed !== null) return typed;
  const known = optionsOf(command).find((option) => option.attributeName() === name);
  return typeof known?.defaultValue === 'string' ? known.defaultValue : undefined;
}

/** commandNamed returns the command below another one with a name or an alias. */
export function commandNamed(parent: Command, name: string): Command | undefined {
  return parent.commands.find((one) => one.name() === name || one.aliases().includes(name));
}

/** optionsOf returns the options of a command, also those that every command takes, and `--help`. */
export function optionsOf(command: Command): readonly Option[] {
  const help = command.createHelp();
  const own = help.visibleOptions(command);
  for (let above = command.parent; above !== null; above = above.parent)
    // `--help` of a command is that of the program.
    own.push(...above.options.filter(({ hidden, long }) => !hidden && own.every((one) => one.long !== long)));
  return own;
}

/** takesValue reports whether an option has a value. */
export function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

/** Returns the options in a word: `--in`, `--in=vmlinux`, `-i`, `-ivmlinux`, `-qi`. Unknown ones are left out. */
function optionsIn(command: Command, word: string): TypedOption[] {
  const known = optionsOf(command);
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const name = equals === -1 ? word : word.slice(0, equals);
    const option = known.find(({ long }) => long === name);
    return option === undefined ? [] : [{ option, value: equals === -1 ? null : word.slice(equals + 1) }];
  }
  const found: TypedOption[] = [];
  for (let at = 1; at < word.length; at++) {
    const option = known.find(({ short }) => short === `-${word.charAt(at)}`);
    if (option === undefined) break;
    const value = takesValue(option) && at + 1 < word.length ? word.slice(at + 1) : null;
    found.push({ option, value });
    if (value !== null) break;
  }
  return found;
}
