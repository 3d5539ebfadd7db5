import type { Command } from 'commander';
import { commandName } from '../grammar/command-formats.js';
import { canRepeat } from '../grammar/options.js';
import type { Session } from '../session/session.js';
import { after, type Answer, joined, NOTHING, words } from './answer.js';
import { canFollow, type Completes, operandKinds, valueKind } from './completes.js';
import type { TypesFrom } from './type-words.js';
import { commandNamed, optionsOf, type TypedLine, valueOf } from './typed-line.js';

/**
 * completeLine returns what completes the word at the cursor. Words of the grammar need nothing else. Names come from the
 * daemon, the files or the config file that the line chooses.
 *
 * @throws the errors of {@link Session} if a daemon or a file that it needs cannot be used.
 */
export async function completeLine(line: TypedLine, session: Session): Promise<Answer> {
  const { command, cursor, current, operands } = line;
  switch (cursor.kind) {
    case 'option':
      return optionWords(line);
    case 'value': {
      const { option, head } = cursor;
      const typed = current.slice(head.length);
      return after(head, await ofKind(valueKind(command, option), line, session, typed));
    }
    case 'operand':
      if (command.commands.length > 0) return operands.length > 0 ? NOTHING : commandWords(command, current);
      return ofKinds(operandKinds(line), line, session, current);
  }
}

/** Completes an option that may follow: an option with one value is offered once. */
function optionWords(line: TypedLine): Answer {
  const { command, options, current } = line;
  const given = new Set(
    options.filter(({ option }) => !canRepeat(option)).map(({ option }) => option.attributeName()),
  );
  const open = optionsOf(command).filter(
    (option) => !given.has(option.attributeName()) && canFollow(line, option),
  );
  const about = new Map(
    open.flatMap(({ short, long, description }) =>
      [short, long].flatMap((flag) => (flag === undefined ? [] : [[flag, firstSentence(description)]])),
    ),
  );
  // A short option is only offered as it is, for the space after it.
  const known = [...about.keys()].filter((flag) => flag.startsWith('--') || flag === current);
  return words(current, known, (flag) => about.get(flag) ?? '');
}

function commandWords(parent: Command, typed: string): Answer {
  const about = new Map(
    parent.commands.flatMap((one) =>
      [one.name(), ...one.aliases()].map((name) => [name, firstSentence(one.description())]),
    ),
  );
  return words(typed, [...about.keys()], (name) => about.get(name) ?? '');
}

/** Completes the words of a command: `context set`. */
function helpWords({ command, operands, current }: TypedLine): Answer {
  let at: Command | null = command.parent;
  for (const word of operands) at = (at === null ? undefined : commandNamed(at, word)) ?? null;
  return at === null ? NOTHING : commandWords(at, current);
}

async function ofKinds(
  kinds: readonly Completes[],
  line: TypedLine,
  session: Session,
  typed: string,
): Promise<Answer> {
  // Words of the grammar are offered even if there is no daemon.
  const [first = NOTHING, ...others] = await Promise.all(
    kinds.map(async (kind) => ofKind(kind, line, session, typed).catch(() => NOTHING)),
  );
  return others.reduce(joined, first);
}

async function ofKind(kind: Completes, line: TypedLine, session: Session, typed: string): Promise<Answer> {
  if (typeof kind !== 'string') return words(typed, kind);
  switch (kind) {
    case 'nothing':
      return NOTHING;
    case 'file':
      return { kind: 'files', head: '' };
    case 'folder':
      return { kind: 'folders', head: '' };
    case 'other-command':
      return { kind: 'command', head: '' };
    case 'address':
      return typed.startsWith('unix:') ? { kind: 'files', head: 'unix:' } : words(typed, ['unix:']);
    case 'command':
      return helpWords(line);
    case 'member':
      return (await import('./type-words.js')).memberWords(session, typesFrom(line), typed);
    case 'struct':
      return (await import('./type-words.js')).structWords(session, typesFrom(line), typed);
    case 'type':
      return (await import('./type-words.js')).typeWords(session, typesFrom(line), typed);
    case 'context':
      return (await import('./object-words.js')).contextWords(session, typed);
    case 'id':
      return (await import('./object-words.js')).idWords(session, typed);
    case 'module-list':
      return (await import('./object-words.js')).moduleWords(session, typed);
    case 'prog':
    case 'map':
    case 'prog-id':
    case 'map-id':
    case 'prog-name':
    case 'map-name':
      return (await import('./object-words.js')).bpfWords(session, kind, typed);
    case 'object':
      return (await import('./object-words.js')).objectWords(session, typed);
    case 'object-name':
      return (await import('./object-words.js')).nameWords(session, typed);
    case 'spec':
      return (await import('./object-words.js')).specWords(session, typed);
  }
}

/** Returns where the types of a line come from. */
function typesFrom(line: TypedLine): TypesFrom {
  const { command, operands } = line;
  const where = valueOf(line, 'in');
  // `dump`, `header` and `diff` have SPECs as operands.
  const specs = where === undefined && commandName(command) !== 'find' ? operands : [];
  return {
    specs: where !== undefined ? [where] : specs.length > 0 ? specs : ['vmlinux'],
    base: valueOf(line, 'base'),
    kind: valueOf(line, 'kind'),
  };
}

function firstSentence(text: string): string {
  return (text.split(/[:;] /)[0] ?? '').trim();
}
