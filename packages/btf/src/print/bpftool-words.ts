import { FuncLinkage, IntEncoding, type Type, VarLinkage } from '../types.js';

const ENCODINGS = new Map<number, string>([
  [0, '(none)'],
  [IntEncoding.SIGNED, 'SIGNED'],
  [IntEncoding.CHAR, 'CHAR'],
  [IntEncoding.BOOL, 'BOOL'],
]);

const FUNC_LINKAGES = new Map<number, string>([
  [FuncLinkage.STATIC, 'static'],
  [FuncLinkage.GLOBAL, 'global'],
  [FuncLinkage.EXTERN, 'extern'],
]);

const VAR_LINKAGES = new Map<number, string>([
  [VarLinkage.STATIC, 'static'],
  [VarLinkage.GLOBAL, 'global'],
  [VarLinkage.EXTERN, 'extern'],
]);

/** kindWord is bpftool's word for a type's kind; it has one for all that it does not know. */
export function kindWord({ kind }: Type): string {
  return kind === 'VOID' ? 'UNKNOWN' : kind;
}

/** nameWord is a name as bpftool shows it. */
export function nameWord(name: string): string {
  return name === '' ? '(anon)' : name;
}

/** encodingWord is the word for an INT's encoding. */
export function encodingWord(encoding: number): string {
  return ENCODINGS.get(encoding) ?? 'UNKN';
}

/** signWord is the word for the encoding of an enum. */
export function signWord(signed: boolean): string {
  return signed ? 'SIGNED' : 'UNSIGNED';
}

/** funcLinkageWord is the word for the linkage of a FUNC. */
export function funcLinkageWord(linkage: number): string {
  return FUNC_LINKAGES.get(linkage) ?? '(unknown)';
}

/** varLinkageWord is the word for the linkage of a VAR. */
export function varLinkageWord(linkage: number): string {
  return VAR_LINKAGES.get(linkage) ?? '(unknown)';
}
