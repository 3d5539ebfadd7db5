import { Kind } from '../types.js';
import { type CorePath, isEnumKind, isTypeKind } from './access.js';
import type { RelocationKind } from '../ext/records.js';
import type { CoreTypes } from './core-types.js';
import type { TypeId } from '../types.js';

const KEYWORDS = new Map<number, string>([
  [Kind.STRUCT, 'struct '],
  [Kind.UNION, 'union '],
  [Kind.ENUM, 'enum '],
  [Kind.ENUM64, 'enum '],
]);

/** Names are a stranger's text, and may be long. The kernel accepts 512 bytes. */
const LONGEST_NAME = 512;

/** Longer paths are cut: an access may have 64 members. */
const LONGEST_PATH = 1024;

/** renderType returns the words for a type: `struct task_struct`, `pid_t`. */
export function renderType(types: CoreTypes, id: TypeId): string {
  const name = types.nameOf(id);
  const keyword = KEYWORDS.get(types.kindOf(id)) ?? '';
  return `${keyword}${name === '' ? '(anonymous)' : shown(name)}`;
}

/** renderPath returns the words for a place in a type: `struct inode.i_ctime.tv_sec`, `enum bpf_func_id::BPF_FUNC_x`. */
export function renderPath(kind: RelocationKind, { types, rootId, accessors }: CorePath): string {
  const root = renderType(types, rootId);
  if (isTypeKind(kind)) return root;
  if (isEnumKind(kind)) return `${root}::${shown(accessors[0]?.name ?? '')}`;
  let text = root;
  for (const [i, { name, index }] of accessors.entries()) {
    if (name !== null) text += `.${shown(name)}`;
    else if (i > 0 || index > 0) text += `[${index}]`;
    // A part of a text keeps all of it in memory, so the rest is not added first.
    if (text.length > LONGEST_PATH) return `${text.slice(0, LONGEST_PATH)}…`;
  }
  return text;
}

function shown(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}
