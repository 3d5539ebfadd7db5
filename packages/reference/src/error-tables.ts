import { ErrorReason } from '@btfd/api';
import { status } from '@grpc/grpc-js';
import { markdownTable } from './doc-tables.js';
import { reasonsInProto } from './reasons-in-proto.js';

/** DaemonErrors are the daemon's tables of errors. */
export interface DaemonErrors {
  /** The gRPC code of each ErrorReason, by the number of the reason. */
  readonly codes: Readonly<Record<number, status>>;
  /** The reason of each errno, by the name of the errno. */
  readonly errnos: Readonly<Record<string, ErrorReason>>;
}

/** ClientReason is a reason that the client makes itself. */
export interface ClientReason {
  readonly code: status;
  readonly when: string;
  readonly next: string;
}

/**
 * errorTables returns the documentation of all reasons, in Markdown.
 *
 * @param proto the text of errors.proto.
 * @param ofDaemon the tables of `@btfd/server`.
 * @param ofClient the reasons that `@btfd/client` makes itself, by name.
 * @throws Error if the comment of a reason in `proto` has another form.
 */
export function errorTables(
  proto: string,
  { codes, errnos }: DaemonErrors,
  ofClient: Readonly<Record<string, ClientReason>>,
): string {
  const codeOf = new Map(Object.entries(codes).map(([reason, code]) => [ErrorReason[Number(reason)], code]));
  const daemon = reasonsInProto(proto).map(({ reason, when, metadata, next, details }) => {
    const code = codeOf.get(reason);
    return [
      `\`${reason}\``,
      code === undefined ? '' : status[code],
      when,
      sentence(next),
      metadata,
      details.join(', '),
    ];
  });
  const client = Object.entries(ofClient).map(([reason, { code, when, next }]) => [
    `\`${reason}\``,
    status[code],
    when,
    next,
  ]);
  const kernel = Object.entries(errnos).map(([errno, reason]) => [errno, `\`${ErrorReason[reason]}\``]);
  return [
    '## Daemon',
    '',
    markdownTable(['reason', 'code', 'when', 'what to do', 'metadata', 'comes with'], daemon),
    '',
    '## Client',
    '',
    markdownTable(['reason', 'code', 'when', 'what to do'], client),
    '',
    '## Kernel',
    '',
    markdownTable(['errno', 'reason'], kernel),
  ].join('\n');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
