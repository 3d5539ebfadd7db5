import type { Argument, Command, Option } from 'commander';
import { COMMAND_FORMATS, commandName } from '../grammar/command-formats.js';
import { DUMP_FORMATS } from '../output/formats.js';
import { MAP_TYPES } from '../source/bpf-ref.js';
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
      return dumpKinds(operands, before);
    default:
      return [kind];
  }
}

/**
 * The words of bpftool: `dump SPEC… [format FORMAT [unsorted]] [root_id ID]…`. The first word is a SPEC, whatever its name, or
 * `prog` or `map`.
 */
function dumpKinds(operands: readonly string[], before: string | undefined): readonly Completes[] {
  const [first, second, ...others] = operands;
  if (first === 'prog' || first === 'map') {
    if (second === undefined) return [first, ['id', 'name']];
    const isNamed = second === 'id' || second === 'name';
    if (isNamed && others.length === 0) return [`${first}-${second}`];
    if (first === 'map' && others.length === (isNamed ? 1 : 0)) return [[...MAP_TYPES, 'format', 'root_id']];
  } else if (before === 'id' || before === 'file') return [before];
  if (operands.length === 0) return ['spec', ['id', 'file', 'prog', 'map']];
  const later = operands.slice(1);
  if (later.length > 0 && before === 'format') return [DUMP_FORMATS];
  if (later.length > 0 && before === 'root_id') return [];
  if (later.includes('format')) return [['unsorted', 'root_id']];
  const isOne = later.includes('root_id') || first === 'prog' || first === 'map';
  return isOne ? [['format', 'root_id']] : ['spec', ['format', 'root_id']];
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
