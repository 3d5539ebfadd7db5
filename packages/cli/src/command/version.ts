import type { Session } from '../session/session.js';
import { VERSION } from '../version.js';

/** version is what `btfctl version` does. */
export async function version(session: Session): Promise<void> {
  await session.show({
    data: { version: VERSION, node: process.versions.node },
    names: [VERSION],
    text: (wide) => `btfctl ${VERSION}${wide ? ` on Node ${process.versions.node}` : ''}\n`,
  });
}
