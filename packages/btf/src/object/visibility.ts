import type { ElfSymbol } from '../elf/elf-file.js';
import { FuncLinkage, Kind } from '../types.js';
import type { BpfObject } from './bpf-object.js';
import type { BtfEditor } from './btf-editor.js';

/** `STB_GLOBAL`, `STB_WEAK`, `STV_INTERNAL`, `STV_HIDDEN` and `STT_FUNC` of `elf.h`. */
const STB_GLOBAL = 1;
const STB_WEAK = 2;
const STV_INTERNAL = 1;
const STV_HIDDEN = 2;
const STT_FUNC = 2;

/** isShared reports whether other objects can use a symbol, if its visibility allows it. */
export function isShared({ binding }: ElfSymbol): boolean {
  return binding === STB_GLOBAL || binding === STB_WEAK;
}

/** isHidden reports whether a symbol is only visible in its object. */
export function isHidden({ visibility }: ElfSymbol): boolean {
  return visibility === STV_INTERNAL || visibility === STV_HIDDEN;
}

/**
 * prepareHiddenFunctions makes hidden functions of `.text` static, so that the verifier checks each call of them with
 * what is known at the call. Modelled on `bpf_object__sanitize_and_load_btf` of libbpf.
 */
export function prepareHiddenFunctions({ elf, spec, symbols }: BpfObject, editor: BtfEditor): void {
  const text = elf.sectionIndices(new Set(['.text']), '.text'.length).get('.text');
  const hidden = new Set<string>();
  for (const symbol of symbols) {
    const isSubprogram = symbol.type === STT_FUNC && symbol.section === text && isShared(symbol);
    if (isSubprogram && isHidden(symbol) && symbol.name !== null) hidden.add(symbol.name);
  }
  if (hidden.size === 0) return;
  for (const id of spec.typeIds()) {
    const type = spec.kindOf(id) === Kind.FUNC ? spec.typeById(id) : null;
    // Only the first of several functions of one name.
    if (type?.kind !== 'FUNC' || type.linkage !== FuncLinkage.GLOBAL || !hidden.delete(type.name)) continue;
    editor.setWord(id, 1, (Kind.FUNC << 24) | FuncLinkage.STATIC);
  }
}
