import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bpftoolC } from 'test-tools';

/** cOfBytes returns BTF as C by bpftool. */
export function cOfBytes(bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'btf-c-'));
  try {
    const path = join(folder, 'btf');
    writeFileSync(path, bytes);
    return bpftoolC(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * EXPLAINED lists the text that we print in addition to bpftool 7.1, the version of the oracle. Each is replaced in a
 * line.
 */
export const EXPLAINED = {
  // libbpf's commit e6e0e3fd of December 2022 prints enums that are smaller or larger than an int. We also print those
  // of two bytes.
  'mode of an enum': [/^(\t*\}) __attribute__\(\(mode\((?:byte|HI|word)\)\)\)/gm, '$1'],
  // libbpf does not print it, so that a packed or aligned union has another size.
  'size of a union': [
    /^(\t*\}) __attribute__\(\((?:packed|aligned\(\d+\)|packed, aligned\(\d+\))\)\)/gm,
    '$1',
  ],
} as const satisfies Record<string, readonly [RegExp, string]>;

/** Comparison has the differences between our C text and bpftool's. */
export interface Comparison {
  /** Number of lines that differ in one explained way, by that way. */
  readonly explained: Readonly<Record<string, number>>;
  /** The first lines that differ in other ways. */
  readonly unexplained: readonly string[];
  readonly lines: number;
}

/** compareC compares C texts line by line, order included. */
export function compareC(ours: string, theirs: string): Comparison {
  const explained: Record<string, number> = {};
  for (const reason of Object.keys(EXPLAINED)) explained[reason] = 0;
  const unexplained: string[] = [];
  const ourLines = ours.split('\n');
  const theirLines = theirs.split('\n');
  for (let i = 0; i < Math.max(ourLines.length, theirLines.length); i++) {
    const our = ourLines[i];
    const their = theirLines[i];
    if (our === their) continue;
    const reason = our === undefined || their === undefined ? undefined : reasonOf(our, their);
    if (reason !== undefined) explained[reason] = (explained[reason] ?? 0) + 1;
    else if (unexplained.length < 10) unexplained.push(`${i + 1}: ${our} <> ${their}`);
  }
  return { explained, unexplained, lines: ourLines.length };
}

function reasonOf(our: string, their: string): string | undefined {
  const reason = Object.entries(EXPLAINED).find(
    ([, [pattern, old]]) => our.replaceAll(pattern, old) === their.replaceAll(pattern, old),
  );
  return reason?.[0];
}
