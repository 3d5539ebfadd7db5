import type { Member, Spec } from '@btfd/btf';
import { sizeOf } from './size-of.js';
import { typeName } from './type-name.js';

const HEADINGS = ['offset', 'size', 'type', 'member'];

/** layoutOf returns the layout of a struct: a line for each member, with offset, size, type and name. */
export function layoutOf(spec: Spec, structName: string): string[] {
  const lines: string[] = [];
  for (const type of spec.typesByName(structName)) {
    if (type.kind !== 'STRUCT') continue;
    const rows = type.members.map((member) => cells(spec, member));
    lines.push(`struct ${structName}, ${type.size} bytes`, ...table([HEADINGS, ...rows]));
  }
  return lines;
}

function cells(spec: Spec, { name, typeId, bitOffset, bitfieldSize }: Member): string[] {
  const offset = Math.floor(bitOffset / 8);
  const isBitfield = bitfieldSize > 0;
  return [
    isBitfield ? `${offset}:${bitOffset % 8}` : `${offset}`,
    isBitfield ? `${bitfieldSize} bits` : `${sizeOf(spec, typeId)}`,
    typeName(spec, typeId),
    name,
  ];
}

function table(rows: string[][]): string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < 2 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
