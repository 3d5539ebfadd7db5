import type { Session } from '../session/session.js';
import { printableText } from '../output/terminal.js';

/** printText prints text piece by piece, as long as someone reads it. */
export async function printText(session: Session, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    session.interrupted.throwIfAborted();
    if (session.out.closed) return;
    await session.out.write(session.onTerminal ? printableText(piece) : piece);
  }
}
