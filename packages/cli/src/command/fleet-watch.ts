import type { FleetChange, NodeBuild, NodeState } from '@btfd/fleet';
import { explainError } from '../error/explain-error.js';
import { ExitCode } from '../error/exit-code.js';
import { openFleet } from '../fleet/open-fleet.js';
import { failureText, KIND_TEXTS } from '../fleet/outcomes.js';
import type { FleetWatchOptions } from '../grammar/fleet-watch.js';
import type { Format } from '../output/formats.js';
import { jsonText, printable, yamlText } from '../output/safe-text.js';
import { clip } from '../output/table.js';
import type { Session } from '../session/session.js';

/** fleetWatch runs `btfctl fleet watch`. */
export async function fleetWatch(session: Session, options: FleetWatchOptions): Promise<number> {
  await using open = await openFleet(session, options);
  const { interrupted } = session;
  const { output } = session.options;
  const { interval, modules } = options;
  let isSynced = false;
  if (output === 'table' || output === 'wide') await session.out.write(heading(session));
  try {
    for await (const change of open.fleet.watch({ signal: open.ask.signal, interval, modules })) {
      if (change.kind === 'source-failed') session.warn(explainError(change.error).message);
      isSynced ||= change.kind === 'synced';
      if (isSynced || options.new !== true) await session.out.write(await line(change, output, session));
      await session.out.flush();
      if (session.out.closed) break;
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  }
  return ExitCode.OK;
}

function heading({ colors, width }: Session): string {
  return colors.heading(row(['EVENT', 'BUILD', 'NODE', 'DETAIL'], width));
}

/** Returns a change in a format; empty if the format does not show it. */
async function line(change: FleetChange, format: Format, session: Session): Promise<string> {
  switch (format) {
    case 'json':
      return `${jsonText(changeData(change))}\n`;
    case 'yaml':
      return `---\n${await yamlText(changeData(change))}`;
    case 'name':
      return change.kind.startsWith('node-') && 'name' in change ? session.nameLine(change.name) : '';
    case 'table':
    case 'wide':
    // The command does not take it.
    case 'markdown':
      return changeRow(change, session);
  }
}

function changeRow(change: FleetChange, { colors, width }: Session): string {
  switch (change.kind) {
    case 'node-appeared':
      return colors.good(
        row(['appeared', shortOf(change.build), change.name, stateText(change, change.node.address)], width),
      );
    case 'node-changed': {
      const paint = 'error' in change.outcome ? colors.bad : colors.changed;
      const from = shortOf(change.before.build);
      const moved = from === shortOf(change.build) ? '' : `was ${from}: `;
      return paint(
        row(
          [
            'changed',
            shortOf(change.build),
            change.name,
            `${moved}${stateText(change, change.node.address)}`,
          ],
          width,
        ),
      );
    }
    case 'node-left':
      return colors.bad(row(['left', shortOf(change.build), change.name, ''], width));
    case 'build-appeared':
    case 'build-left': {
      const event = change.kind === 'build-appeared' ? 'new build' : 'no more';
      return colors.strong(row([event, shortOf(change.build), change.name, releaseOf(change.build)], width));
    }
    case 'synced':
    case 'source-failed':
      return '';
  }
}

function stateText({ outcome, build }: NodeState, address: string): string {
  if ('error' in outcome) return `${KIND_TEXTS[outcome.kind]}: ${failureText(outcome, address)}`;
  if (outcome.kind === 'duplicate') return `the same daemon as ${outcome.of}`;
  return build === null ? '' : releaseOf(build);
}

/** Digits of a digest in a row. */
const SHORT = 8;

function shortOf(build: NodeBuild | null): string {
  if (build === null) return '-';
  return build.digest === null ? 'no-btf' : build.digest.slice(0, SHORT);
}

function releaseOf({ release, machine }: NodeBuild): string {
  return `${release} ${machine}`;
}

type Cells = readonly [event: string, build: string, node: string, detail: string];

/** Returns a row with fixed widths, because the widths of later rows are not known. */
function row([event, build, node, detail]: Cells, width: number | null): string {
  const text = printable(
    `${event.padEnd(9)}  ${build.padEnd(SHORT)}  ${node.padEnd(24)}  ${detail}`,
  ).trimEnd();
  return `${width === null ? text : clip(text, width)}\n`;
}

function changeData(change: FleetChange): object {
  switch (change.kind) {
    case 'node-appeared':
      return { event: change.kind, node: change.name, address: change.node.address, ...stateData(change) };
    case 'node-changed':
      return {
        event: change.kind,
        node: change.name,
        address: change.node.address,
        ...stateData(change),
        before: stateData(change.before),
      };
    case 'node-left':
      return { event: change.kind, node: change.name, build: buildData(change.build) };
    case 'build-appeared':
    case 'build-left':
      return { event: change.kind, node: change.name, build: buildData(change.build) };
    case 'synced':
      return { event: change.kind, nodes: change.nodes, builds: change.builds };
    case 'source-failed':
      return { event: change.kind, error: explainError(change.error).message };
  }
}

function stateData({ outcome, build }: NodeState): object {
  return {
    outcome: outcome.kind,
    ...(outcome.kind === 'duplicate' ? { of: outcome.of } : {}),
    ...('error' in outcome ? { error: outcome.error.rawMessage } : {}),
    build: buildData(build),
  };
}

function buildData(build: NodeBuild | null): object | null {
  if (build === null) return null;
  const { digest, modulesDigest, moduleCount, release, version, machine } = build;
  return {
    digest,
    modules_digest: modulesDigest,
    module_count: moduleCount,
    release,
    version,
    machine,
  };
}
