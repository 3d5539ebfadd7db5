import type { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import type { CNameContext, CNaming } from './c-context.js';
import { CDeclarator } from './c-declarator.js';
import { StringBytes } from './string-bytes.js';
import { TextOutput } from './text-output.js';
import { MEMBER_WORDS, typeWordsOf } from './type-words.js';
import { STEPS_OF_NAME, WorkLimit } from './work-limit.js';

/** The longest name of a type. Functions that take functions can be long, but not this long. */
const MAX_BYTES = 64 * 1024;

const AS_THEY_ARE: CNaming = { ofTag: () => 1, ofTypedef: () => 1, ofEnumerator: () => 1 };

/**
 * formatTypeName returns a type as C writes it in a cast: `struct task_struct *`, `int (*)(void)`, `char[16]`. An
 * anonymous type is `struct { ... }`, and a function or variable is its type.
 *
 * @throws BtfLookupError `NOT_FOUND` if there is no such id.
 * @throws BtfFormatError `MALFORMED` if no declaration can have the type, such as a data section, and for a name
 * outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` beyond 512 levels or 64 KiB.
 */
export function formatTypeName(spec: Spec, id: TypeId): string {
  return write(spec, declaredType(spec, id), 0);
}

/**
 * declarationOf returns the declaration of a function, a variable or a typedef without the semicolon: `int main(int
 * argc, char **argv)`. It returns the name of any other type.
 *
 * @throws BtfReadError as {@link formatTypeName} does.
 */
export function declarationOf(spec: Spec, id: TypeId): string {
  const types = typeWordsOf(spec);
  const kind = types.kind(id);
  if (kind === Kind.TYPEDEF) return `typedef ${write(spec, types.third(id), types.name(id))}`;
  const declares = kind === Kind.FUNC || kind === Kind.VAR;
  return write(spec, declaredType(spec, id), declares ? types.name(id) : 0);
}

/** memberDeclaration returns the declaration of a member, without the width of a bitfield. */
export function memberDeclaration(spec: Spec, compositeId: TypeId, index: number): string {
  const types = typeWordsOf(spec);
  const at = types.elements(compositeId) + index * MEMBER_WORDS;
  return write(spec, types.unsignedAt(at + 1), types.unsignedAt(at));
}

function declaredType(spec: Spec, id: TypeId): TypeId {
  const types = typeWordsOf(spec);
  const kind = types.kind(id);
  return kind === Kind.FUNC || kind === Kind.VAR ? types.third(id) : id;
}

function write(spec: Spec, id: TypeId, name: number): string {
  const types = typeWordsOf(spec);
  const strings = new StringBytes(spec);
  const out = new TextOutput(strings, MAX_BYTES);
  const work = new WorkLimit(STEPS_OF_NAME, 0);
  const context: CNameContext = {
    types,
    strings,
    names: AS_THEY_ARE,
    out,
    work,
    compiler: null,
    qualified: true,
  };
  const declarator = new CDeclarator(context, (anonymous) => {
    declarator.refer(anonymous);
    out.write(' { ... }');
  });
  declarator.declare(id, name, 1, 0);
  return out.take();
}
