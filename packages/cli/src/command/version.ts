import type { Session } from '../session/session.js';

/** version returns the function that runs `btfctl version`, for a version of the package. */
export function version(number: string): (session: Session) => Promise<void> {
  return async (session) =>
    session.show({
      data: { version: number, node: process.versions.node },
      names: [number],
      text: (wide) => `btfctl ${number}${wide ? ` on Node ${process.versions.node}` : ''}\n`,
    });
}
