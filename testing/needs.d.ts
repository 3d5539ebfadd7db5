import type { describe, test } from '@jest/globals';
import type { TOOLS } from './tools.js';

/** Tool is the name of a tool in tools.js. */
export type Tool = keyof typeof TOOLS;

export function needs(...names: readonly Tool[]): {
  readonly describe: Pick<typeof describe.skip, 'each'> &
    ((...args: Parameters<typeof describe.skip>) => void);
  readonly test: Pick<typeof test.skip, 'each'> & ((...args: Parameters<typeof test.skip>) => void);
};

export function has(name: Tool): boolean;

export function bpftoolC(path: string, basePath?: string): string;

export function withoutKfuncs(text: string): string;

export class DelegatedBpffs implements Disposable {
  readonly folder: string;
  wrapper(delegateCmds: string): string[];
  [Symbol.dispose](): void;
}
