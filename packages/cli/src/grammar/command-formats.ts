import { FORMATS, type Format } from '../output/show-view.js';

/** CommandFormats are what `-o` can say to a command. */
export interface CommandFormats {
  readonly formats: readonly Format[];
  /** The file in `schema/` that describes its JSON; null where it has none. */
  readonly schema: string | null;
}

/** Of what is text, there is no other form. */
const TEXT = { formats: ['table', 'wide'], schema: null } as const satisfies CommandFormats;

const every = (schema: string): CommandFormats => ({ formats: FORMATS, schema: `${schema}.schema.json` });

/** COMMAND_FORMATS are the {@link CommandFormats} of every command; the documentation has the same table. */
export const COMMAND_FORMATS: Readonly<Record<string, CommandFormats>> = {
  list: every('list'),
  dump: every('dump'),
  header: TEXT,
  layout: every('layout'),
  find: every('find'),
  member: every('member'),
  diff: every('diff'),
  load: every('load'),
  check: every('check'),
  hold: TEXT,
  watch: every('watch-event'),
  info: every('info'),
  'context list': every('context-list'),
  'context use': TEXT,
  'context set': TEXT,
  'context remove': TEXT,
  completion: TEXT,
  version: every('version'),
};
