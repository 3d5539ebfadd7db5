import { toBpftoolJson } from '../print/bpftool-json.js';
import type { Type } from '../types.js';

/** bpftoolJson is what the library prints for a type, normalized for comparison with what bpftool does. */
export function bpftoolJson(type: Type): string {
  return normalizeBpftoolJson(toBpftoolJson(type));
}

/** normalizeBpftoolJson makes 64-bit values of bpftool's output strings, which JSON.parse keeps exact. */
export function normalizeBpftoolJson(output: string): string {
  return output.replaceAll(/"val":(-?\d+)/g, '"val":"$1"');
}
