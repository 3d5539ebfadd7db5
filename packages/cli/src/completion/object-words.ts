import { readdirSync } from 'node:fs';
import type { HandleInfo } from '@btfd/client';
import type { Session } from '../session/session.js';
import type { BpfRef } from '../source/bpf-ref.js';
import { isFileName } from '../source/spec-ref.js';
import { after, type Answer, joined, NOTHING, plainWords } from './answer.js';

/** The most entries of a folder that are looked at. */
const MAX_ENTRIES = 10_000;

/** objectWords completes an object: its name, or after a first digit or `id:` its id. */
export async function objectWords(session: Session, typed: string): Promise<Answer> {
  return objectAnswer(await objectsOf(session, null), typed);
}

/** nameWords completes the name of an object. */
export async function nameWords(session: Session, typed: string): Promise<Answer> {
  return plainWords(typed, namesOf(await objectsOf(session, null)));
}

/** idWords completes the id of an object. */
export async function idWords(session: Session, typed: string): Promise<Answer> {
  return plainWords(typed, idsOf(await objectsOf(session, null)));
}

/** The kinds of words for programs and maps: names, and ids after a first digit; only ids; only names. */
export type BpfWords = `${BpfRef['kind']}${'' | '-id' | '-name'}`;

/** bpfWords completes a program or a map that has BTF. */
export async function bpfWords(session: Session, kind: BpfWords, typed: string): Promise<Answer> {
  // The files of the kernel do not show them.
  if ((await session.localKernel()) !== null) return NOTHING;
  const client = await session.client();
  const infos = await client.listObjects({ details: ['users'], signal: session.requestSignal() });
  const users = infos.flatMap(
    (info) => (kind.startsWith('prog') ? info.users?.programs : info.users?.maps) ?? [],
  );
  const ids = users.map(({ id }) => String(id));
  const names = users.map(({ name }) => name);
  if (kind.endsWith('-id')) return plainWords(typed, ids);
  return kind.endsWith('-name') ? plainWords(typed, names) : namesAndIds(typed, names, ids);
}

/** moduleWords completes names of modules with commas between them. */
export async function moduleWords(session: Session, typed: string): Promise<Answer> {
  const before = typed.slice(0, typed.lastIndexOf(',') + 1);
  const named = before.split(',');
  const objects = await objectsOf(session, null);
  const modules = objects.filter(({ isModule, name }) => isModule && !named.includes(name));
  const names = before === '' ? [...namesOf(modules), 'none'] : namesOf(modules);
  return after(before, plainWords(typed.slice(before.length), names));
}

/** specWords completes a SPEC. */
export async function specWords(session: Session, typed: string): Promise<Answer> {
  const [scheme] = /^(?:file:|@?unix:)/.exec(typed) ?? [];
  if (scheme !== undefined) return { kind: 'files', head: scheme };
  if (typed.startsWith('@')) return nodeWords(session, typed.slice(1));
  if (typed.includes('/') || typed.startsWith('~')) return { kind: 'files', head: '' };
  // Files are offered even if there is no daemon.
  const objects = await objectWords(session, typed).catch(() => NOTHING);
  return joined(objects, plainWords(typed, btfFiles(typed)));
}

/** contextWords completes the name of a context. */
export async function contextWords(session: Session, typed: string): Promise<Answer> {
  const { config } = await session.configFile();
  return plainWords(typed, config.contexts.keys());
}

/** Completes a node, and after its slash an object of it. */
async function nodeWords(session: Session, typed: string): Promise<Answer> {
  const slash = typed.indexOf('/');
  if (slash === -1) return after('@', await contextWords(session, typed));
  const node = typed.slice(0, slash);
  const objects = await objectsOf(session, node);
  return after(`@${node}/`, objectAnswer(objects, typed.slice(slash + 1)));
}

function objectAnswer(objects: readonly HandleInfo[], typed: string): Answer {
  const scheme = 'id:';
  if (typed.startsWith(scheme)) return after(scheme, plainWords(typed.slice(scheme.length), idsOf(objects)));
  return namesAndIds(typed, namesOf(objects), idsOf(objects));
}

/** Completes a name, or after a first digit also an id. A name of digits alone would mean an id. */
function namesAndIds(typed: string, names: readonly string[], ids: readonly string[]): Answer {
  const unlikeIds = names.filter((name) => !/^\d+$/.test(name));
  return plainWords(typed, /^\d/.test(typed) ? [...unlikeIds, ...ids] : unlikeIds);
}

function namesOf(objects: readonly HandleInfo[]): string[] {
  return objects.map(({ name }) => name);
}

/** Before Linux 5.11 the kernel's own BTF has no id, and neither has an object that is read without a daemon. */
function idsOf(objects: readonly HandleInfo[]): string[] {
  return objects.flatMap(({ id }) => (id === 0 ? [] : [String(id)]));
}

/** @param node the node that a SPEC names; null for the one of the command. */
async function objectsOf(session: Session, node: string | null): Promise<readonly HandleInfo[]> {
  const local = node === null ? await session.localKernel() : null;
  if (local !== null) return local.objects();
  return (await session.client(node)).listObjects({ signal: session.requestSignal() });
}

/** Returns the files of the working directory that need no slash in a SPEC, and its folders, each with a slash. */
function* btfFiles(typed: string): Generator<string, void, undefined> {
  for (const entry of readdirSync('.', { withFileTypes: true }).slice(0, MAX_ENTRIES)) {
    // As in shells, hidden ones only if the dot is typed.
    if (entry.name.startsWith('.') && typed === '') continue;
    if (entry.isDirectory()) yield `${entry.name}/`;
    else if (isFileName(entry.name)) yield entry.name;
  }
}
