import type { HandleInfo, WatchEvent } from '@btfd/client';
import { usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { WatchOptions } from '../grammar/watch.js';
import type { Format } from '../output/formats.js';
import { objectData } from '../output/object-list.js';
import { jsonText, printable, yamlText } from '../output/safe-text.js';
import { grouped } from '../output/numbers.js';
import { clip } from '../output/table.js';
import type { Session } from '../session/session.js';
import { checkNames } from '../source/glob.js';
import { objectName, underscoreHint } from '../source/spec-ref.js';

/** watch runs `btfctl watch`. */
export async function watch(
  session: Session,
  globs: readonly string[],
  options: WatchOptions,
): Promise<number> {
  // The daemon checks them too, but its messages are for programs.
  checkNames(globs);
  const id = globs.find((one) => /^(?:id:)?\d+$/.test(one));
  if (id !== undefined)
    throw usageError(`${id} cannot be watched`, 'use a name or a glob, or none to watch all');
  for (const hint of globs.map(underscoreHint)) if (hint !== null) session.noteOnce(hint);
  const client = await session.client();
  const { interrupted } = session;
  const { output } = session.options;
  const timeout = session.requestTimeout();
  let heading = output === 'table' || output === 'wide' ? headingOf(session) : '';
  try {
    for await (const event of client.watchHandles({
      signal: timeout.signal,
      nameGlobs: globs,
      ...(options.origin === undefined ? {} : { origins: [options.origin] }),
    })) {
      // After the first event, the wait for the next one has no limit.
      timeout.clear();
      await session.out.write(heading);
      heading = '';
      if (!(options.new === true && event.type === 'present'))
        await session.out.write(await line(event, output, session));
      await session.out.flush();
      if (session.out.closed) break;
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  return ExitCode.OK;
}

function headingOf({ colors, width }: Session): string {
  return colors.heading(row(['EVENT', 'ID', 'BYTES', 'ORIGIN', 'NAME'], width));
}

/** Returns an event in a format; empty if the format does not show it. */
async function line(event: WatchEvent, format: Format, session: Session): Promise<string> {
  switch (format) {
    case 'json':
      return `${jsonText(eventData(event))}\n`;
    case 'yaml':
      return `---\n${await yamlText(eventData(event))}`;
    case 'name':
      return event.type === 'synced' ? '' : session.nameLine(objectName(event.info));
    case 'table':
    case 'wide':
    // The command does not take it.
    case 'markdown':
      return event.type === 'synced' ? '' : eventRow(event.type, event.info, session);
  }
}

function eventData(event: WatchEvent): unknown {
  if (event.type === 'synced') return { event: 'synced', relisted: event.relisted };
  return { event: event.type, object: objectData(event.info) };
}

function eventRow(
  type: 'present' | 'added' | 'removed',
  { id, name, origin, size }: HandleInfo,
  { colors, width }: Session,
): string {
  const paint = { present: (text: string) => text, added: colors.good, removed: colors.bad }[type];
  const cells = [type, id === 0 ? '-' : String(id), grouped(size), origin, printable(name) || '-'] as const;
  return paint(row(cells, width));
}

type Cells = readonly [event: string, id: string, bytes: string, origin: string, name: string];

/** Returns a row with fixed widths, because the widths of later rows are not known. */
function row([event, id, bytes, origin, name]: Cells, width: number | null): string {
  const text = `${event.padEnd(7)}  ${id.padStart(8)}  ${bytes.padStart(10)}  ${origin.padEnd(12)}  ${name}`;
  return `${width === null ? text : clip(text, width)}\n`;
}
