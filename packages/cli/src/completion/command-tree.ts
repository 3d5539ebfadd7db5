import type { Command, Option } from 'commander';
import { COMMAND_FORMATS, commandName } from '../grammar/command-formats.js';
import { COMMON_FORMATS } from '../output/formats.js';

/** Completes is the kind of words that complete an argument or the value of an option. */
export type Completes = 'object' | 'type' | 'file' | 'context' | 'nothing' | readonly string[];

/** PLAIN_NAME matches the names that are offered. They have no characters that are special to a shell. */
export const PLAIN_NAME = '[A-Za-z0-9_][A-Za-z0-9_.@-]*';

/** OptionNode is the part of an option that completion needs. */
export interface OptionNode {
  /** `-o` and `--output`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** The kind of its value; null if it takes no value. */
  readonly value: Completes | null;
}

/** CommandNode is the part of a command that completion needs. */
export interface CommandNode {
  readonly names: readonly string[];
  readonly description: string;
  /** Its own options. They include an option of every command if it takes other values here. */
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
  /** The kind of its arguments. */
  readonly words: Completes;
}

/** The kind of words for each name of an argument, or of an option's value, in the help. */
const COMPLETES: Readonly<Record<string, Completes>> = {
  object: 'object',
  spec: 'object',
  a: 'object',
  b: 'object',
  type: 'type',
  path: 'type',
  file: 'file',
  folder: 'file',
};

/** commandTree returns the tree of a program and its commands. */
export function commandTree(command: Command): CommandNode {
  const [argument] = command.registeredArguments;
  return {
    names: [command.name(), ...command.aliases()],
    description: firstSentence(command.description()),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionNode), ...formatOption(command)],
    commands: command.commands.map(commandTree),
    words: wordsOf(command, argument?.name(), argument?.argChoices),
  };
}

/** optionsOf returns all options of a command: its own ones, then those of every command that it does not override. */
export function optionsOf({ options }: CommandNode, root: CommandNode): readonly OptionNode[] {
  return options === root.options
    ? options
    : [...options, ...root.options.filter((option) => !options.some((own) => isSame(own, option)))];
}

/** isSame reports whether two options have the same flags. */
export function isSame(a: OptionNode, b: OptionNode): boolean {
  return a.flags[0] === b.flags[0];
}

/** Returns `-o` for a command that does not take all of its values. */
function formatOption(command: Command): OptionNode[] {
  const { formats = COMMON_FORMATS } = COMMAND_FORMATS[commandName(command)] ?? {};
  if (formats.length === COMMON_FORMATS.length) return [];
  return [{ flags: ['-o', '--output'], description: 'how to print results', value: formats }];
}

function wordsOf(
  command: Command,
  name: string | undefined,
  choices: readonly string[] | undefined,
): Completes {
  if (choices !== undefined) return choices;
  if (name === undefined) return 'nothing';
  if (command.parent?.name() === 'context' && name === 'name') return 'context';
  if (command.name() === 'find') return 'type';
  return COMPLETES[name] ?? 'nothing';
}

function optionNode(option: Option): OptionNode {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  return { flags, description: firstSentence(option.description), value: valueOf(option) };
}

function valueOf(option: Option): Completes | null {
  if (!option.required && !option.optional) return null;
  // A command that takes others has the option itself.
  if (option.long === '--output') return COMMON_FORMATS;
  if (option.argChoices !== undefined) return option.argChoices;
  if (option.long === '--context') return 'context';
  if (option.long === '--type') return 'type';
  const [, name = ''] = /[<[]([a-z]+)/.exec(option.flags) ?? [];
  return COMPLETES[name] ?? 'nothing';
}

function firstSentence(text: string): string {
  return (text.split(/[:;]/)[0] ?? '').trim();
}
