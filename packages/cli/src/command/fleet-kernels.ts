import { ExitCode } from '../error/exit-code.js';
import { buildData, buildLabels, modulesText, releasesText } from '../fleet/builds.js';
import { nodesText, warnOfMissing } from '../fleet/fleet-text.js';
import { someNames } from '../fleet/folded-names.js';
import { openFleet } from '../fleet/open-fleet.js';
import { fleetExitCode, nodesData } from '../fleet/outcomes.js';
import type { FleetOptions } from '../grammar/fleet-options.js';
import { code, markdownTable } from '../output/markdown.js';
import { type Column, formatTable, grouped } from '../output/table.js';
import type { Session } from '../session/session.js';

/** The parts of folded names in a cell. */
const MOST_NAMES = 6;

/** fleetKernels runs `btfctl fleet kernels`. */
export async function fleetKernels(session: Session, options: FleetOptions): Promise<number> {
  await using open = await openFleet(session, options);
  const { builds, nodes: outcomes, complete } = await open.fleet.inventory(open.ask);
  const nodes = { outcomes, addresses: open.addresses };
  const labels = buildLabels(builds.map(({ build }) => build));
  const columns = (wide: boolean): Column[] => [
    { heading: 'BUILD', color: session.colors.name },
    { heading: 'KERNEL', shrinks: true },
    { heading: 'ARCH' },
    { heading: 'NODES', align: 'right' },
    { heading: 'MODULES', align: 'right' },
    { heading: wide ? 'NAMES' : 'EXAMPLE', shrinks: true },
  ];
  const missing = [...outcomes.values()].filter((outcome) => 'error' in outcome).length;
  const rows = (wide: boolean): string[][] => [
    ...builds.map(({ build, nodes: names }, index) => [
      labels[index] ?? '',
      releasesText(build),
      build.machine,
      grouped(names.length),
      modulesText(build),
      wide ? someNames(names, MOST_NAMES) : (names[0] ?? ''),
    ]),
    ...(missing === 0 ? [] : [['-', '(no answer)', '', grouped(missing), '', '']]),
  ];
  open.done();
  await session.show({
    data: {
      complete,
      builds: builds.map(({ build, nodes: names }) => buildData(build, names)),
      nodes: nodesData(nodes),
    },
    names: builds.flatMap(({ build: { digest } }) => digest ?? []),
    text: (wide) =>
      formatTable(columns(wide), rows(wide), session) +
      (options.nodes === true
        ? nodesText(
            builds.map(({ nodes: names }, index) => ({ label: labels[index] ?? '', nodes: names })),
            nodes,
            session,
          )
        : ''),
    markdown: () =>
      markdownTable(
        columns(true).map(({ heading }) => heading),
        rows(true).map((row) => row.map((cell) => cell && code(cell))),
      ),
  });
  warnOfMissing(session, nodes, options.nodes === true);
  return fleetExitCode(nodes, ExitCode.OK);
}
