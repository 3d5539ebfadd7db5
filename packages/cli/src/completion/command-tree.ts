import type { Command, Option } from 'commander';
import { commandName, COMMAND_FORMATS } from '../grammar/command-formats.js';
import { FORMATS } from '../output/formats.js';

/** What the words of an argument or the value of an option are completed with. */
export type Completes = 'object' | 'type' | 'file' | 'context' | 'nothing' | readonly string[];

/** PLAIN_NAME matches the names that are offered: those that no shell takes for anything else. */
export const PLAIN_NAME = '[A-Za-z0-9_][A-Za-z0-9_.@-]*';

/** OptionNode is an option as completion sees it. */
export interface OptionNode {
  /** `-o` and `--output`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** What its value is; null where it takes none. */
  readonly value: Completes | null;
}

/** CommandNode is a command as completion sees it. */
export interface CommandNode {
  readonly names: readonly string[];
  readonly description: string;
  /** Its own ones. One that every command takes is among them where it means something else here. */
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
  /** What its arguments are. */
  readonly words: Completes;
}

/** By the name of an argument, or of the value of an option, in the help. */
const COMPLETES: Readonly<Record<string, Completes>> = {
  object: 'object',
  spec: 'object',
  a: 'object',
  b: 'object',
  type: 'type',
  path: 'type',
  file: 'file',
};

/** commandTree is what completion knows of a program and its commands. */
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

/** optionsOf are all options that a command takes: its own ones, and those of every command that it does not have itself. */
export function optionsOf({ options }: CommandNode, root: CommandNode): readonly OptionNode[] {
  return options === root.options
    ? options
    : [...options, ...root.options.filter((option) => !options.some((own) => isSame(own, option)))];
}

/** isSame tells whether two options are written the same. */
export function isSame(a: OptionNode, b: OptionNode): boolean {
  return a.flags[0] === b.flags[0];
}

/** `-o`, for a command that has not all of its values. */
function formatOption(command: Command): OptionNode[] {
  const { formats = FORMATS } = COMMAND_FORMATS[commandName(command)] ?? {};
  if (formats.length === FORMATS.length) return [];
  return [{ flags: ['-o', '--output'], description: 'how to print answers', value: formats }];
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
  if (option.argChoices !== undefined) return option.argChoices;
  if (option.long === '--context') return 'context';
  if (option.long === '--type') return 'type';
  const [, name = ''] = /[<[]([a-z]+)/.exec(option.flags) ?? [];
  return COMPLETES[name] ?? 'nothing';
}

function firstSentence(text: string): string {
  return (text.split(/[:;]/)[0] ?? '').trim();
}
