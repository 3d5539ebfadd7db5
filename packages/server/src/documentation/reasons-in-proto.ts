/** DocumentedReason is what the contract says of an `ErrorReason`. */
export interface DocumentedReason {
  /** The name without its prefix. */
  readonly reason: string;
  /** The name of the gRPC code. */
  readonly code: string;
  /** When it happens. */
  readonly when: string;
  /** The keys of its metadata, in words; empty where it has none. */
  readonly metadata: string;
  /** What the caller should do. */
  readonly next: string;
  /** The messages of `google.rpc`, besides ErrorInfo, that come with it. */
  readonly details: readonly string[];
}

/** `CODE. When. Metadata: keys. Next: what to do.`, the third of which may be missing. */
const COMMENT = /^(?<code>[A-Z_]+)\. (?<when>.*?)(?: Metadata: (?<metadata>.*?)\.)? Next: (?<next>.*)$/;

/**
 * reasonsInProto reads the reasons of errors.proto from its comments, which have one form.
 *
 * @throws Error that names a reason whose comment has another form.
 */
export function reasonsInProto(proto: string): DocumentedReason[] {
  const values = proto.matchAll(/(?<lines>(?:^ {2}\/\/.*\n)*) {2}ERROR_REASON_(?<reason>[A-Z_]+) = \d+;/gm);
  return [...values].flatMap(({ groups: { lines = '', reason = '' } = {} }) => {
    if (reason === 'UNSPECIFIED') return [];
    const comment = lines
      .replaceAll(/^ *\/\/ ?/gm, '')
      .trim()
      .replaceAll(/\s+/g, ' ');
    const said = COMMENT.exec(comment)?.groups;
    if (said === undefined)
      throw new Error(`the comment of ${reason} is not "CODE. When. Next: …": ${comment}`);
    const { code = '', when = '', metadata = '', next = '' } = said;
    const details = [...comment.matchAll(/google\.rpc\.(?<name>\w+)/g)].map(
      ({ groups }) => groups?.['name'] ?? '',
    );
    return [{ reason, code, when, metadata, next, details }];
  });
}
