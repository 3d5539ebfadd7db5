import type { Argument, Command, Option } from 'commander';
import { COMMAND_FORMATS, commandName } from '../grammar/command-formats.js';
import { DUMP_FORMATS } from '../output/formats.js';
import { parseBpfWords, wordsAfter } from '../source/bpf-ref.js';
import type { TypedLine } from './typed-line.js';

/** Completes is the kind of words that complete an operand or the value of an option, or the words themselves. */
export type Completes =
  | 'address'
  | 'command'
  | 'context'
  | 'file'
  | 'folder'
  | 'id'
  | 'map'
  | 'map-id'
  | 'map-name'
  | 'member'
  | 'module-list'
  | 'nothing'
  | 'object'
  | 'object-name'
  | 'other-command'
  | 'prog'
  | 'prog-id'
  | 'prog-name'
  | 'spec'
  | 'struct'
  | 'type'
  | readonly string[];

/** The kinds of operands, by the command and the name of its argument. The last argument of a command may repeat. */
const OPERANDS: Readonly<Record<string, Completes>> = {
  'list object': 'object',
  'watch object': 'object-name',
  'hold object': 'object',
  'dump spec': 'spec',
  'header spec': 'spec',
  'layout type': 'struct',
  'find name': 'type',
  'member path': 'member',
  'value type': 'type',
  'diff a': 'spec',
  'diff b': 'spec',
  'load file': 'file',
  'check file': 'file',
  'compat file': 'file',
  'fleet compat file': 'file',
  'fleet member path': 'member',
  'fleet find glob': 'type',
  'context use name': 'context',
  'context set name': 'context',
  'context remove name': 'context',
  'help command': 'command',
};

/** The kinds of values of options whose placeholders in the help mean different things. */
const VALUES: Readonly<Record<string, Completes>> = {
  '--context': 'context',
  '--contexts': 'context',
  // Or @NODE, of which only the fleet knows.
  '--from': 'file',
  '--type': 'type',
  '--in <module>': 'object-name',
  '--modules': 'module-list',
};

/** The kinds of values by the placeholder in the help. */
const PLACEHOLDERS: Readonly<Record<string, Completes>> = {
  address: 'address',
  file: 'file',
  folder: 'folder',
  spec: 'spec',
  struct: 'struct',
  type: 'type',
};

/** operandKinds returns what completes the next operand of a command: words of each of these kinds. */
export function operandKinds({ command, operands, isAfterDashes }: TypedLine): readonly Completes[] {
  const argument = argumentAt(command, operands.length);
  if (argument === undefined) return [];
  const kind = argument.argChoices ?? OPERANDS[`${commandName(command)} ${argument.name()}`] ?? 'nothing';
  const before = operands.at(-1);
  switch (commandName(command)) {
    case 'hold':
      if (operands.length === 0) return [kind];
      return [isAfterDashes ? 'other-command' : ['--']];
    case 'list':
      return before === 'id' ? ['id'] : [kind, ['id']];
    case 'header':
      return before === 'id' || before === 'file' ? [before] : [kind, ['id', 'file']];
    case 'dump':
      return dumpKinds(operands);
    default:
      return [kind];
  }
}

/**
 * The words of bpftool: `dump SPEC… [format FORMAT [unsorted]] [root_id ID]…`. The first word is a SPEC, whatever its name, or
 * `prog` or `map`.
 */
function dumpKinds(operands: readonly string[]): readonly Completes[] {
  const [first, second, ...others] = operands;
  if (first === undefined) return ['spec', ['id', 'file', 'prog', 'map']];
  if (first === 'prog' || first === 'map') {
    if (second === undefined) return [first, ['id', 'name']];
    if ((second === 'id' || second === 'name') && others.length === 0) return [`${first}-${second}`];
    const bpf = bpfAmong(operands);
    return bpf === null ? [] : laterKinds(bpf.rest, [], wordsAfter(bpf.ref));
  }
  const before = operands.at(-1);
  if (before === 'id' || before === 'file') return [before];
  return laterKinds(operands.slice(1), ['spec'], ['format', 'root_id']);
}

/** @param known the words that may follow a SPEC, or a program or a map. */
function laterKinds(
  later: readonly string[],
  specs: readonly Completes[],
  known: readonly string[],
): readonly Completes[] {
  const before = later.at(-1);
  if (before === 'format') return [DUMP_FORMATS];
  if (before === 'root_id') return [];
  if (later.includes('format')) return [['unsorted', ...known.filter((word) => word === 'root_id')]];
  return later.includes('root_id') ? [known] : [...specs, known];
}

/** Returns the program or the map that the operands of `dump` name; null for SPECs, and for words that are not complete. */
function bpfAmong(operands: readonly string[]): ReturnType<typeof parseBpfWords> {
  try {
    return parseBpfWords(operands);
  } catch {
    return null;
  }
}

/** The options of `dump` that choose among all types. */
const CHOOSING: ReadonlySet<string> = new Set(['--type', '--closure', '--root-id']);

/** canFollow reports whether an option may follow the operands: of a map without `all`, no types can be chosen. */
export function canFollow({ command, operands }: TypedLine, { long }: Option): boolean {
  if (commandName(command) !== 'dump' || !CHOOSING.has(long ?? '')) return true;
  const bpf = bpfAmong(operands);
  return bpf === null || bpf.ref.types === 'all';
}

/** Returns the argument that an operand is. The last one of a command may repeat. */
function argumentAt({ registeredArguments: all }: Command, at: number): Argument | undefined {
  const last = all.at(-1);
  return all[at] ?? (last?.variadic === true ? last : undefined);
}

/** valueKind returns what completes the value of an option of a command. */
export function valueKind(command: Command, { long, flags, argChoices }: Option): Completes {
  if (long === '--output') {
    // Before the command, any of them may follow.
    return COMMAND_FORMATS[commandName(command)]?.formats ?? argChoices ?? [];
  }
  if (argChoices !== undefined) return argChoices;
  const [, placeholder = ''] = /[<[]([a-z]+)/.exec(flags) ?? [];
  const name = long ?? '';
  return VALUES[name] ?? VALUES[`${name} <${placeholder}>`] ?? PLACEHOLDERS[placeholder] ?? 'nothing';
}
