import { BtfReadError, parseMemberPath } from '@btfd/btf';
import type { BuildAnswer, FleetMember } from '@btfd/fleet';
import { usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { buildLabels } from '../fleet/builds.js';
import { openFleet } from '../fleet/open-fleet.js';
import { ofBuilds, showFleet } from '../fleet/show-fleet.js';
import type { FleetMemberOptions } from '../grammar/fleet-member.js';
import { memberData, offsetsText, typeText } from '../output/member-text.js';
import { grouped } from '../output/numbers.js';
import type { Session } from '../session/session.js';

type MemberAnswer = BuildAnswer<readonly FleetMember[]>;

/** fleetMember runs `btfctl fleet member`. */
export async function fleetMember(
  session: Session,
  paths: readonly string[],
  options: FleetMemberOptions,
): Promise<number> {
  checkAlternatives(paths);
  await using open = await openFleet(session, options);
  const answer = await open.fleet.resolveMembers(paths, { ...open.ask, object: options.in });
  const failures = failuresOf(answer.builds);
  const exitCode = await showFleet(session, open, options, answer, {
    table: () => ({
      columns: [
        // The rows of a build differ only in it.
        { heading: 'PATH', shrinks: 'last', color: session.colors.name },
        { heading: 'OFFSET', align: 'right' },
        { heading: 'BITS', align: 'right' },
        { heading: 'TYPE', shrinks: true },
      ],
      rows: ({ value }) => (value === null ? [['(no answer)']] : value.map(cellsOf)),
    }),
    buildData: ({ value }) => ({
      members: (value ?? []).map(({ path, used, result }) =>
        Object.assign(memberData(result), { path, used }),
      ),
    }),
    names: paths.filter((path) => !failures.some((failure) => failure.path === path)),
    exitCode: failures.length === 0 ? ExitCode.OK : ExitCode.NOT_FOUND,
  });
  for (const { message, labels } of failures)
    session.warn(`${ofBuilds(labels, answer.builds.length)}${message}`);
  return exitCode;
}

function cellsOf({ path, used, result: { member } }: FleetMember): string[] {
  if (member === null) return [path, '-', '-', '-'];
  return [used ?? path, offsetsText(member), grouped(member.bitSize), typeText(member)];
}

interface PathFailure {
  readonly path: string;
  readonly message: string;
  /** The builds in which the path leads to no member for this reason. */
  readonly labels: string[];
}

/** Returns why paths lead to no member, equal failures of several builds once. */
function failuresOf(builds: readonly MemberAnswer[]): readonly PathFailure[] {
  const labels = buildLabels(builds.map(({ build }) => build));
  const failures = new Map<string, PathFailure>();
  for (const [index, { value }] of builds.entries()) {
    for (const { path, used, result } of value ?? []) {
      if (used !== null) continue;
      const key = `${path}\0${result.error}`;
      const failure = failures.get(key) ?? {
        path,
        message: failureText(path, result.error ?? ''),
        labels: [],
      };
      failures.set(key, failure);
      failure.labels.push(labels[index] ?? '');
    }
  }
  return [...failures.values()];
}

/** The error is that of the first alternative. */
function failureText(path: string, error: string): string {
  return path.includes('|') ? `no alternative of ${path} leads to a member: ${error}` : error;
}

/** @throws CliError USAGE for an invalid alternative of a path. */
function checkAlternatives(paths: readonly string[]): void {
  for (const alternative of paths.flatMap((path) => path.split('|'))) {
    try {
      parseMemberPath(alternative.trim());
    } catch (error) {
      throw error instanceof BtfReadError ? usageError(error.message) : error;
    }
  }
}
