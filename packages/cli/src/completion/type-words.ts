import { statSync } from 'node:fs';
import {
  BtfFormatError,
  flatMembers,
  Kind,
  MemberPathError,
  parseMemberPath,
  resolve,
  resolveMember,
  type Spec,
  type TypeId,
} from '@btfd/btf';
import type { Session } from '../session/session.js';
import { typeIdOf, withoutKeyword } from '../source/chosen-types.js';
import { parseBpfWords } from '../source/bpf-ref.js';
import {
  objectWithId,
  parseSpecRef,
  parseSpecWords,
  type SpecRef,
  STANDARD_INPUT,
} from '../source/spec-ref.js';
import { after, type Answer, NOTHING, plainWords } from './answer.js';

/** The kinds that have members, and typedefs, which may stand for one of them. */
const COMPOSITES: readonly number[] = [Kind.STRUCT, Kind.UNION, Kind.TYPEDEF];

/** The most typedefs to resolve. A kernel has 3,000, and hostile BTF may have a million in long chains. */
const MAX_RESOLVED = 10_000;

const KINDS = Object.entries(Kind).map(([name, number]) => [name.toLowerCase(), number] as const);

/** The largest file to read: the kernels and modules of distributions are smaller, without their debug information. */
const MAX_FILE_BYTES = 2 ** 26;

/** TypesFrom are the SPECs of the types. */
export interface TypesFrom {
  /** Words for SPECs, also those of bpftool: `id 7`. The types of the first one are offered. */
  readonly specs: readonly string[];
  readonly base: string | undefined;
  /** The kind that is searched for, in lower case. */
  readonly kind: string | undefined;
}

/** typeWords completes the name of a type, which may have a keyword before it: `struct list_head`. */
export async function typeWords(session: Session, from: TypesFrom, typed: string): Promise<Answer> {
  const { kind } = from;
  // As in the commands, where a 64-bit enum counts as an enum.
  const kinds = KINDS.filter(([word]) => word === kind || (kind === 'enum' && word === 'enum64'));
  const numbers = kind === undefined ? null : kinds.map(([, number]) => number);
  return answerIn(session, from, (spec) => named(spec, typed, numbers));
}

/** structWords completes the name of a struct or union, or of a typedef of one. */
export async function structWords(session: Session, from: TypesFrom, typed: string): Promise<Answer> {
  return answerIn(session, from, (spec) => structsNamed(spec, typed));
}

/** memberWords completes the path of a member: a struct up to the first dot, then its members. */
export async function memberWords(session: Session, from: TypesFrom, typed: string): Promise<Answer> {
  return answerIn(session, from, (spec) => memberAnswer(spec, typed));
}

/**
 * memberAnswer completes the path of a member in a spec. A single struct gets its dot, and a single member is also offered with
 * one if it has members, so that the shell adds no space.
 */
export function memberAnswer(spec: Spec, typed: string): Answer {
  const [, container = null, arrow = '', last = ''] = /^(.*)(\.|->)([^.\]>]*)$/.exec(typed) ?? [];
  if (container === null) {
    const structs = structsNamed(spec, typed);
    if (structs.kind !== 'words' || structs.words.length !== 1) return structs;
    const [only] = structs.words;
    const name = `${only?.text ?? ''}.`;
    const members = membersOf(spec, structs.head + (only?.text ?? ''), '.', '');
    if (members.kind !== 'words') return structs;
    // The head must be a part of what is typed.
    return { ...structs, words: members.words.map(({ text, about }) => ({ text: name + text, about })) };
  }
  const answer = membersOf(spec, container, arrow, last);
  if (answer.kind !== 'words' || answer.words.length !== 1) return answer;
  const [only] = answer.words;
  const path = answer.head + (only?.text ?? '');
  const dot = { text: `${only?.text ?? ''}.`, about: '' };
  return hasMembers(spec, path) ? { ...answer, words: [...answer.words, dot] } : answer;
}

function membersOf(spec: Spec, container: string, arrow: string, typed: string): Answer {
  const names = new Set<string>();
  for (const id of containers(spec, container)) {
    const type = spec.typeById(id);
    if (type.kind !== 'STRUCT' && type.kind !== 'UNION') continue;
    for (const { member } of flatMembers(spec, type)) names.add(member.name);
  }
  return after(container + arrow, plainWords(typed, names));
}

function hasMembers(spec: Spec, path: string): boolean {
  return containers(spec, path).some((id) => {
    const { kind } = spec.typeById(id);
    return kind === 'STRUCT' || kind === 'UNION';
  });
}

/** End is the end of a path. */
interface End {
  readonly path: string;
  readonly typeId: TypeId;
}

/** Returns the types at the end of a path, after a pointer those that it points to. */
function containers(spec: Spec, path: string): TypeId[] {
  return endsOf(spec, path).flatMap((end) => {
    const { id, kind } = resolve(spec, end.typeId);
    // The element that C finds there. A declared type leads to its definitions.
    if (kind === 'PTR') return endsOf(spec, `${end.path}[0]`).map(({ typeId }) => resolve(spec, typeId).id);
    return [id];
  });
}

/** Returns the end of a path, or each of its ends if several types have a name on it. */
function endsOf(spec: Spec, path: string): End[] {
  try {
    const { root, steps } = parseMemberPath(path);
    if (steps.length === 0 && typeIdOf(root) === null) return typesNamed(spec, path);
    return [{ path, typeId: resolveMember(spec, path, { suggest: false }).typeId }];
  } catch (error) {
    if (!(error instanceof MemberPathError)) throw error;
    return error.candidates.flatMap(({ path: exact, member }) =>
      member === null ? [] : [{ path: exact, typeId: member.typeId }],
    );
  }
}

/** All types of a name, because each may have other members. */
function typesNamed(spec: Spec, path: string): End[] {
  const { name, kinds } = withoutKeyword(path);
  const ids = spec.idsByName(name).filter((id) => (kinds ?? COMPOSITES).includes(spec.kindOf(id)));
  return ids.slice(0, MAX_RESOLVED).map((typeId) => ({ path: String(typeId), typeId }));
}

function structsNamed(spec: Spec, typed: string): Answer {
  let resolved = 0;
  return named(spec, typed, COMPOSITES, (id) => {
    if (spec.kindOf(id) !== Kind.TYPEDEF) return true;
    resolved += 1;
    if (resolved > MAX_RESOLVED) return false;
    try {
      const { kind } = resolve(spec, id);
      return kind === 'STRUCT' || kind === 'UNION';
    } catch (error) {
      if (error instanceof BtfFormatError) return false;
      throw error;
    }
  });
}

function named(
  spec: Spec,
  typed: string,
  kinds: readonly number[] | null,
  fits: (id: TypeId) => boolean = () => true,
): Answer {
  const { name, keyword, kinds: ofKeyword } = withoutKeyword(typed);
  const head = keyword === null ? '' : typed.slice(0, typed.length - name.length);
  const wanted = ofKeyword?.filter((kind) => kinds?.includes(kind) ?? true) ?? kinds;
  const names: string[] = [];
  for (const id of spec.typeIds()) {
    if (wanted !== null && !wanted.includes(spec.kindOf(id))) continue;
    const own = spec.nameOf(id);
    if (own !== '' && own.startsWith(name) && fits(id)) names.push(own);
  }
  return after(head, plainWords(name, names));
}

async function answerIn(
  session: Session,
  { specs, base }: TypesFrom,
  answer: (spec: Spec) => Answer,
): Promise<Answer> {
  const bpf = parseBpfWords(specs);
  const found = bpf === null ? null : await session.bpfObject(bpf.ref);
  const [ref] = found === null ? parseSpecWords(specs) : [objectWithId(found.btfId)];
  const baseRef = base === undefined ? null : parseSpecRef(base);
  if (ref === undefined || !isQuick(ref) || (baseRef !== null && !isQuick(baseRef))) return NOTHING;
  return answer(await (await session.source(ref, base)).spec());
}

/** Whether a SPEC can be read now: Tab neither takes the input of the command nor waits for a pipe. */
function isQuick(ref: SpecRef): boolean {
  if (ref.kind !== 'file') return true;
  if (ref.path === STANDARD_INPUT) return false;
  const stat = statSync(ref.path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size <= MAX_FILE_BYTES;
}
