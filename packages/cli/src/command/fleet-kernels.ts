import { modulesText } from '../fleet/builds.js';
import { someNames } from '../fleet/folded-names.js';
import { openFleet } from '../fleet/open-fleet.js';
import { showFleet } from '../fleet/show-fleet.js';
import type { FleetOptions } from '../grammar/fleet-options.js';
import type { Session } from '../session/session.js';

/** The parts of folded names in a cell. */
const MOST_NAMES = 6;

/** fleetKernels runs `btfctl fleet kernels`. */
export async function fleetKernels(session: Session, options: FleetOptions): Promise<number> {
  await using open = await openFleet(session, options);
  const inventory = await open.fleet.inventory(open.ask);
  return await showFleet(session, open, options, inventory, {
    table: (wide) => ({
      columns: [
        { heading: 'MODULES', align: 'right' },
        { heading: wide ? 'NAMES' : 'EXAMPLE', shrinks: true },
      ],
      rows: ({ build, nodes }) => [
        [modulesText(build), wide ? someNames(nodes, MOST_NAMES) : (nodes[0] ?? '')],
      ],
    }),
    buildData: () => ({}),
    names: inventory.builds.flatMap(({ build: { digest } }) => digest ?? []),
  });
}
