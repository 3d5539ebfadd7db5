import { printable } from './terminal.js';
import { jsonText } from './machine-text.js';
import type { Output } from './output.js';
import { yamlText } from './yaml-text.js';

/** FORMATS are what `-o` can say. */
export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** Format is one of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

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
