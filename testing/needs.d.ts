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

export function bpftoolC(path: string, basePath?: string, words?: readonly string[]): string;

/** CComparison has the differences between our C and bpftool's. */
export interface CComparison {
  readonly explained: Readonly<Record<string, number>>;
  readonly unexplained: readonly string[];
  readonly definitions: number;
}

export function compareC(ours: string, theirs: string): CComparison;

export class DelegatedBpffs implements Disposable {
  readonly folder: string;
  wrapper(delegateCmds: string): string[];
  [Symbol.dispose](): void;
}
