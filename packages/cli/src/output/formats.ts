import type { Output } from './output.js';
import { jsonText, type NameLine, yamlText } from './safe-text.js';

/** COMMON_FORMATS are the values of `-o` that most commands take. */
export const COMMON_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** FORMATS are the values of `-o`. */
export const FORMATS = [...COMMON_FORMATS, 'markdown'] as const;

/** Format is one of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** TEXT_FORMATS are the values of `dump --format` for text. */
export const TEXT_FORMATS = ['raw', 'c', 'json', 'layout'] as const;

/** TextFormat is one of {@link TEXT_FORMATS}. */
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** DUMP_FORMATS are the values of `dump --format`. */
export const DUMP_FORMATS = [...TEXT_FORMATS, 'btf'] as const;

/** DumpFormat is one of {@link DUMP_FORMATS}. */
export type DumpFormat = (typeof DUMP_FORMATS)[number];

/** View is one result in every format. */
export interface View {
  /** The result for programs. A file in `schema/` describes its shape. */
  readonly data: unknown;
  /** The lines that `-o name` prints. */
  readonly names: readonly string[];
  /** The result for people. */
  readonly text: (wide: boolean) => string;
  /** The result as Markdown, if the command prints that. */
  readonly markdown?: () => string;
}

/**
 * showView prints a result in a format.
 *
 * @param nameLine returns the line of `-o name` for a name.
 */
export async function showView(out: Output, format: Format, view: View, nameLine: NameLine): Promise<void> {
  switch (format) {
    case 'table':
    case 'wide':
      return out.write(view.text(format === 'wide'));
    case 'json':
      return out.write(`${jsonText(view.data, 2)}\n`);
    case 'yaml':
      return out.write(await yamlText(view.data));
    case 'name':
      return out.write(view.names.map(nameLine).join(''));
    case 'markdown':
      return out.write(view.markdown?.() ?? '');
  }
}
