import { status } from '@grpc/grpc-js';
import { ERRNO_REASONS, ERROR_CODES } from '../error/error-table.js';
import { ErrorReason } from '@btfd/api';
import { markdownTable } from './markdown-table.js';
import { reasonsInProto } from './reasons-in-proto.js';

/** ClientReason is a reason of the client's own. */
interface ClientReason {
  readonly code: status;
  readonly when: string;
  readonly next: string;
}

/**
 * errorTables is the documentation of all reasons, in Markdown.
 *
 * @param proto the text of errors.proto.
 * @param ofClient the reasons of `@btfd/client`'s own, by name.
 */
export function errorTables(proto: string, ofClient: Readonly<Record<string, ClientReason>>): string {
  const names = new Map(
    Object.entries(ERROR_CODES).map(([reason, code]) => [ErrorReason[Number(reason)], code]),
  );
  const daemon = reasonsInProto(proto).map(({ reason, when, metadata, next, details }) => {
    const code = names.get(reason);
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
  const errnos = Object.entries(ERRNO_REASONS).map(([errno, reason]) => [
    errno,
    `\`${ErrorReason[reason]}\``,
  ]);
  return [
    '## Of the daemon',
    '',
    markdownTable(['reason', 'code', 'when', 'what next', 'metadata', 'comes with'], daemon),
    '',
    '## Of the client',
    '',
    markdownTable(['reason', 'code', 'when', 'what next'], client),
    '',
    '## Of the kernel',
    '',
    markdownTable(['errno', 'reason'], errnos),
  ].join('\n');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
