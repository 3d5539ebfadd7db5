import type { HandleInfo } from '@btfd/client';
import type { Colors } from './colors.js';
import { grouped } from './numbers.js';
import { type Column, formatTable } from './table.js';

/** ListTextOptions are the options of {@link objectsText}. */
export interface ListTextOptions {
  readonly wide: boolean;
  readonly digest: boolean;
  readonly width: number | null;
  readonly colors: Colors;
}

/** objectsText returns objects as a table. */
export function objectsText(infos: readonly HandleInfo[], options: ListTextOptions): string {
  const { colors } = options;
  const columns: (Column & { readonly cell: (info: HandleInfo) => string })[] = [
    { heading: 'ID', align: 'right', cell: ({ id }) => (id === 0 ? '-' : String(id)) },
    { heading: 'NAME', shrinks: true, color: colors.name, cell: ({ name }) => (name === '' ? '-' : name) },
    { heading: 'ORIGIN', cell: ({ origin, removed }) => (removed ? `${origin} (removed)` : origin) },
    { heading: 'BYTES', align: 'right', cell: ({ size }) => grouped(size) },
  ];
  if (options.digest) {
    columns.push({
      heading: 'SHA-256',
      shrinks: true,
      color: colors.faint,
      cell: ({ digest }) => digest ?? '-',
    });
  }
  if (options.wide) {
    columns.push(
      { heading: 'PROGRAMS', shrinks: true, cell: ({ users }) => namedIds(users?.programs) },
      { heading: 'MAPS', shrinks: true, cell: ({ users }) => namedIds(users?.maps) },
      {
        heading: 'PROCESSES',
        shrinks: true,
        cell: ({ users }) =>
          namedIds(users?.processes.map(({ pid, command }) => ({ id: pid, name: command }))),
      },
    );
  }
  const rows = infos.map((info) => columns.map(({ cell }) => cell(info)));
  return formatTable(columns, rows, options);
}

function namedIds(users: readonly { readonly id: number; readonly name: string }[] | undefined): string {
  if (users === undefined) return '?';
  if (users.length === 0) return '-';
  return users.map(({ id, name }) => (name === '' ? String(id) : `${name}(${id})`)).join(', ');
}

/** objectData returns an object for programs, with the field names of `bpftool -j btf list`. */
export function objectData({
  id,
  name,
  origin,
  isKernel,
  size,
  removed,
  digest,
  users,
}: HandleInfo): unknown {
  return {
    id,
    size,
    ...(users === null
      ? {}
      : {
          prog_ids: users.programs.map((program) => program.id),
          map_ids: users.maps.map((map) => map.id),
          // As bpftool, which leaves out an empty list of them alone.
          ...(users.processes.length > 0 && {
            pids: users.processes.map(({ pid, command }) => ({ pid, comm: command })),
          }),
        }),
    kernel: isKernel,
    name,
    origin,
    removed,
    ...(digest === null ? {} : { digest }),
  };
}
