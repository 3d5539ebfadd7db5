import { Command, Option } from 'commander';
import { KIND_WORDS } from '../diff/diff-kinds.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption } from './options.js';

/** FindOptions are the options of `btfctl find`. */
export interface FindOptions {
  readonly in?: string;
  readonly base?: string;
  readonly kind?: string;
  readonly contains?: string;
  readonly pointsTo?: string;
  readonly nested?: boolean;
  readonly takes?: string;
  readonly returns?: string;
  readonly sizes?: boolean;
  readonly packable?: boolean;
}

/** The options that ask for something else than names. One of them can be given. */
const QUESTIONS = [
  ['--contains <type>', 'structs with a member of this type, also in an array'],
  ['--points-to <type>', 'structs with a member that points to this type'],
  ['--takes <type>', 'functions with a parameter of this type, or a pointer to it'],
  ['--returns <type>', 'functions that return this type, or a pointer to it'],
  ['--sizes', 'structs and unions with their sizes and holes, largest first'],
  ['--packable', 'structs that another order of members makes smaller'],
] as const;

/** findCommand is `btfctl find`. */
export function findCommand(action: Action): Command {
  const command = baseOption(
    new Command('find')
      .description('find types by name or by their use, and show which objects have them')
      .argument('[name...]', 'names, globs or type ids: tcp_sock, "tcp_*", 114')
      .option('-i, --in <spec>', 'search only this SPEC; default: every object of the node'),
  ).addOption(new Option('-k, --kind <kind>', 'only types of this kind').choices(KIND_WORDS));
  const questions = QUESTIONS.map(([flags, description]) => new Option(flags, description));
  for (const question of questions) {
    const others = questions.filter((other) => other !== question).map((other) => other.attributeName());
    command.addOption(question.conflicts(others));
  }
  return command
    .option('--nested', 'with --contains and --points-to: also members of structs in structs')
    .addHelpText(
      'after',
      `
--contains and --points-to show the path of each member. They look through
typedefs, qualifiers, arrays, and structs without a name. Names and globs choose
the structs or functions to search; by default, all are searched.

${SPEC_HELP}`,
    )
    .action(action);
}
