import { BtfFormatError, type BtfFormatErrorCode } from '../format-error.js';

/** MemberPathError tells at which step a path to a member fails. */
export class MemberPathError extends BtfFormatError {
  /** The index of the step that fails, from 0; -1 where the type in which the path starts is not found. */
  readonly step: number;
  /** Names of members, or of types at step -1, that the step may have meant, nearest first. */
  readonly near: readonly string[];

  /** @param path the path up to and with the step that fails. */
  constructor(
    code: BtfFormatErrorCode,
    path: string,
    message: string,
    step: number,
    near: readonly string[] = [],
  ) {
    const hint = near.length === 0 ? '' : `; did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
    super(code, `${path}: ${message}${hint}`);
    this.step = step;
    this.near = near;
  }
}
