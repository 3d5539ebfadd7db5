import { printable, jsonText, yamlText } from './safe-text.js';
import type { Output } from './output.js';

/** FORMATS are what `-o` can say. */
export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** Format is one of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** TEXT_FORMATS are what `dump --format` can say for text. */
export const TEXT_FORMATS = ['raw', 'c', 'json', 'layout'] as const;

/** TextFormat is one of {@link TEXT_FORMATS}. */
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** DUMP_FORMATS are what `dump --format` can say. */
export const DUMP_FORMATS = [...TEXT_FORMATS, 'btf'] as const;

/** DumpFormat is one of {@link DUMP_FORMATS}. */
export type DumpFormat = (typeof DUMP_FORMATS)[number];

/** View is one answer in every format. */
export interface View {
  /** The answer for programs, of the shape that a file in `schema/` describes. */
  readonly data: unknown;
  /** What `-o name` prints, a line each. */
  readonly names: readonly string[];
  /** The answer for people. */
  readonly text: (wide: boolean) => string;
}

/** showView prints an answer in a format. */
export async function showView(out: Output, format: Format, view: View): Promise<void> {
  switch (format) {
    case 'table':
    case 'wide':
      return out.write(view.text(format === 'wide'));
    case 'json':
      return out.write(`${jsonText(view.data, 2)}\n`);
    case 'yaml':
      return out.write(await yamlText(view.data));
    case 'name':
      return out.write(view.names.map((name) => `${printable(name)}\n`).join(''));
  }
}
