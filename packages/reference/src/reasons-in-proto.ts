/** DocumentedReason is the documentation of an `ErrorReason` in the contract. */
export interface DocumentedReason {
  /** The name without its prefix. */
  readonly reason: string;
  /** The name of the gRPC code. */
  readonly code: string;
  /** When the daemon returns it. */
  readonly when: string;
  /** The keys of its metadata, in words; empty if it has none. */
  readonly metadata: string;
  /** The next step for the caller. */
  readonly next: string;
  /** The messages of `google.rpc` in its details, without ErrorInfo. */
  readonly details: readonly string[];
}

/** `CODE. When. Metadata: keys. Next: what to do.` The metadata may be missing. */
const COMMENT = /^(?<code>[A-Z_]+)\. (?<when>.*?)(?: Metadata: (?<metadata>.*?)\.)? Next: (?<next>.*)$/;

/**
 * reasonsInProto reads the documentation of all reasons from the comments in errors.proto. Returns it in their order.
 *
 * @throws Error if the comment of a reason has another form. The error names the reason.
 */
export function reasonsInProto(proto: string): DocumentedReason[] {
  const values = proto.matchAll(/(?<lines>(?:^ {2}\/\/.*\n)*) {2}ERROR_REASON_(?<reason>[A-Z_]+) = \d+;/gm);
  return [...values].flatMap(({ groups: { lines = '', reason = '' } = {} }) => {
    if (reason === 'UNSPECIFIED') return [];
    const comment = lines
      .replaceAll(/^ *\/\/ ?/gm, '')
      .trim()
      .replaceAll(/\s+/g, ' ');
    const parts = COMMENT.exec(comment)?.groups;
    if (parts === undefined)
      throw new Error(`the comment of ${reason} is not "CODE. When. Next: …": ${comment}`);
    const { code = '', when = '', metadata = '', next = '' } = parts;
    const details = [...comment.matchAll(/google\.rpc\.(?<name>\w+)/g)].map(
      ({ groups }) => groups?.['name'] ?? '',
    );
    return [{ reason, code, when, metadata, next, details }];
  });
}
