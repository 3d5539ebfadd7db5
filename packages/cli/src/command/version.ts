import { Command } from 'commander';
import type { Run } from '../run.js';
import { VERSION } from '../version.js';

/** versionCommand is `btfctl version`. */
export function versionCommand(run: Run): Command {
  return new Command('version')
    .description('print the version of btfctl; `btfctl info` tells that of the daemon')
    .action(
      run(async (session) => {
        await session.show({
          data: { version: VERSION, node: process.versions.node },
          names: [VERSION],
          text: (wide) => `btfctl ${VERSION}${wide ? ` on Node ${process.versions.node}` : ''}\n`,
        });
      }),
    );
}
