import type { BtfError, HandleInfo, InfoDetail, KnownOrigin } from '@btfd/client';
import { CliError, isBtfError, notFound } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { ListOptions } from '../grammar/list.js';
import { objectData, objectsText } from '../output/object-list.js';
import type { Session } from '../session/session.js';
import { nameTest } from '../source/glob.js';
import {
  formatObjectRef,
  objectName,
  type ObjectRef,
  parseObject,
  underscoreHint,
} from '../source/spec-ref.js';

/** list runs `btfctl list`. */
export async function list(
  session: Session,
  words: readonly string[],
  options: ListOptions,
): Promise<number> {
  const names = joinIds(words);
  const refs = names.map((name) => parseObject(name));
  const local = await session.localKernel();
  for (const ref of refs) if (local !== null && ref.kind === 'id') throw local.withoutId(ref.id);
  const tests = refs.map(wanted);
  const { output } = session.options;
  const users = output === 'wide' || output === 'json' || output === 'yaml';
  const details: InfoDetail[] = [
    ...(users ? ['users' as const] : []),
    ...(options.digest === true ? ['digest' as const] : []),
  ];
  const all = await listObjects(session, details, options.origin);
  const infos = names.length === 0 ? all : all.filter((info) => tests.some((matches) => matches(info)));
  const missing = names.filter((_, index) => !all.some((info) => tests[index]?.(info)));
  const id = refs.find((ref, index) => ref.kind === 'id' && missing.includes(names[index] ?? ''));
  if (id !== undefined) await requireIds(session, id);
  if (missing.length > 0 && infos.length === 0) throw noObject(missing);
  const { digest = false } = options;
  await session.show({
    data: infos.map(objectData),
    names: infos.map(objectName),
    text: (wide) => objectsText(infos, { wide, digest, width: session.width, colors: session.colors }),
  });
  if (missing.length === 0) return ExitCode.OK;
  session.warn(noObject(missing).message);
  return ExitCode.NOT_FOUND;
}

/** @throws CliError DENIED if the daemon cannot list ids, so that nobody takes an object for missing. */
async function requireIds(session: Session, ref: ObjectRef): Promise<void> {
  const { operations } = await (await session.client()).serverInfo({ signal: session.requestSignal() });
  const listing = operations.find(({ operation }) => operation === 'list-ids');
  if (listing === undefined || listing.available) return;
  const { INFO } = await import('../error/explain-error.js');
  throw new CliError(
    ExitCode.DENIED,
    `${formatObjectRef({ kind: 'object', node: null, object: ref })} cannot be looked up: ${listing.reason}`,
    `use a name: \`btfctl list\` lists the objects; ${INFO}`,
  );
}

function noObject(names: readonly string[]): CliError {
  const hints = names.map(underscoreHint);
  return notFound(
    `no BTF object matches ${names.join(', ')}`,
    hints.find((hint) => hint !== null) ?? '`btfctl list` lists all objects',
  );
}

/** Joins the words of bpftool for an id: `id 7`. */
function joinIds(words: readonly string[]): string[] {
  const names: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [word = '', next = ''] = words.slice(at);
    const isId = word === 'id' && /^\d+$/.test(next);
    names.push(isId ? `id:${next}` : word);
    if (isId) at += 1;
  }
  return names;
}

function wanted(ref: ObjectRef): (info: HandleInfo) => boolean {
  if (ref.kind === 'id') return ({ id }) => id === ref.id;
  const matches = nameTest(ref.name);
  return ({ name }) => matches(name);
}

async function listObjects(
  session: Session,
  details: InfoDetail[],
  origin: KnownOrigin | undefined,
): Promise<HandleInfo[]> {
  const local = await session.localKernel();
  if (local !== null) {
    const infos = local.objects().filter((info) => origin === undefined || info.origin === origin);
    return details.includes('digest') ? local.withDigests(infos) : infos;
  }
  const client = await session.client();
  const ask = async (asked: InfoDetail[]): Promise<HandleInfo[]> =>
    client.listObjects({
      details: asked,
      ...(origin === undefined ? {} : { origins: [origin] }),
      signal: session.requestSignal(),
    });
  try {
    return await ask(details);
  } catch (error) {
    // Only a privileged daemon knows the users of objects; the objects can be listed without them.
    if (!details.includes('users') || !isDenied(error)) throw error;
    session.note(`btfctl: users are not shown: ${error.rawMessage}`);
    return ask(details.filter((detail) => detail !== 'users'));
  }
}

function isDenied(error: unknown): error is BtfError {
  if (!isBtfError(error)) return false;
  return error.codeName === 'PERMISSION_DENIED' || error.reason === 'OPERATION_UNAVAILABLE';
}
