import { BtfReadError } from '../../format-error.js';
import type { SectionName } from '../../object/section-names.js';
import { type Spec } from '../../spec.js';
import { Kind } from '../../types.js';
import type { FoundType, KernelObjects } from '../kernel-objects.js';
import type { Need } from '../report.js';
import { FITS, need } from './need.js';

/** The sections of programs that attach to all functions that match a pattern, or to system calls. */
const SECTIONS =
  /^(ksyscall|kretsyscall|kprobe\.multi|kretprobe\.multi|kprobe\.session|(fentry|fexit|fsession)\.multi(\.s)?)$/;

/** The patterns that are looked for in an object. Each is compared with every name of the kernel. */
const MAX_PATTERNS = 64;

/** isPatternSection reports whether programs of a section attach to more than one function. */
export function isPatternSection({ prefix }: SectionName): boolean {
  return SECTIONS.test(prefix);
}

/** Patterns finds functions of a kernel whose names match patterns. It looks for each pattern once, and for 64 of them. */
export class Patterns {
  readonly #kernel: KernelObjects;
  readonly #known = new Map<string, FoundType | null>();

  constructor(kernel: KernelObjects) {
    this.#kernel = kernel;
  }

  /** needOf returns what a program attaches to by a pattern, or by the name of a system call. */
  needOf(pattern: string, { prefix, programType }: SectionName): Need {
    const decide = 'the symbols of the kernel decide what matches';
    if (prefix.endsWith('syscall')) return need('SYMBOL', pattern, ['UNKNOWN', decide]);
    if (!this.#known.has(pattern) && this.#known.size === MAX_PATTERNS) {
      const reason = `the object has more than ${MAX_PATTERNS} patterns`;
      return need(programType === 'TRACING' ? 'ATTACH_TARGET' : 'SYMBOL', pattern, ['UNKNOWN', reason]);
    }
    const found = this.#find(pattern);
    // libbpf matches functions of BTF, and the kernel their symbols.
    if (programType === 'TRACING') {
      const reason = "no function of the kernel's BTF matches, so the program does not attach";
      return need('ATTACH_TARGET', pattern, found === null ? ['AT_RISK', reason] : FITS, { found });
    }
    const hint =
      found === null
        ? "the kernel's BTF has no function that matches"
        : 'its BTF has a function that matches';
    return need('SYMBOL', pattern, ['UNKNOWN', `${decide}: ${hint}`], { found });
  }

  #find(pattern: string): FoundType | null {
    const known = this.#known.get(pattern);
    if (known !== undefined) return known;
    const found = this.#search(pattern);
    this.#known.set(pattern, found);
    return found;
  }

  #search(pattern: string): FoundType | null {
    const colon = pattern.indexOf(':');
    const { vmlinux } = this.#kernel;
    const glob = pattern.slice(colon + 1);
    if (colon < 0) return firstMatch(vmlinux.spec, vmlinux.name, glob);
    const spec = this.#kernel.moduleNamed(pattern.slice(0, colon));
    return spec === null ? null : firstMatch(spec, pattern.slice(0, colon), glob);
  }
}

function firstMatch(spec: Spec, name: string, glob: string): FoundType | null {
  try {
    for (const typeId of spec.typeIds()) {
      if (spec.kindOf(typeId) === Kind.FUNC && matches(spec.nameOf(typeId), glob))
        return { spec, name, typeId };
    }
    return null;
  } catch (error) {
    if (error instanceof BtfReadError) return null;
    throw error;
  }
}

/** matches reports whether a name matches a pattern, in which `*` stands for any characters and `?` for one. */
export function matches(name: string, glob: string): boolean {
  let [at, from, star, retry] = [0, 0, -1, 0];
  while (at < name.length) {
    if (glob[from] === '*') {
      star = from++;
      retry = at;
    } else if (from < glob.length && (glob[from] === '?' || glob[from] === name[at])) {
      from++;
      at++;
    } else if (star >= 0) {
      // The last star takes one character more.
      from = star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  while (glob[from] === '*') from++;
  return from === glob.length;
}
