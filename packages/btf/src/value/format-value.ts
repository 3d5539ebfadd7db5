import { BtfFormatError } from '../format-error.js';
import type { DataModel } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { type Extent, ValueInput } from './value-input.js';
import { ValuePrinter } from './value-printer.js';

/** FormatValueOptions are the options of {@link formatValue}: those of libbpf, with its defaults. */
export interface FormatValueOptions extends DataModel {
  /** Whether to leave out line breaks and indentation. Default: false. */
  readonly compact?: boolean;
  /** Whether to leave out the names of members and types. Default: false. */
  readonly skipNames?: boolean;
  /** Whether to print members that are zero. Default: false. */
  readonly emitZeroes?: boolean;
  /** Whether to print arrays of bytes that end in NUL as strings. Default: false. */
  readonly emitStrings?: boolean;
  /** Levels of indentation of all lines, from 0 to 255. Default: 0. */
  readonly indentLevel?: number;
  /** One level of indentation: at most 31 ASCII characters. Default: a tab. */
  readonly indent?: string;
  /** Maximum number of characters of text. Default: 67,108,864. */
  readonly maxLength?: number;
}

/** FormattedValue is the result of {@link formatValue}. */
export interface FormattedValue extends Extent {
  readonly text: string;
}

const DEFAULT_MAX_LENGTH = 64 * 1024 * 1024;

/** libbpf keeps the level in a byte, and cuts longer indentation. */
const MAX_LEVEL = 255;
const INDENT = /^[\0-\x7f]{0,31}$/;

/**
 * formatValue prints bytes as a value of a type, in the text of libbpf 1.7. It returns the text, and how many bytes are
 * missing or more than the type has. The bytes have the byte order of the BTF.
 *
 * A part whose bytes are missing is `<missing>`, and an array ends with it. libbpf leaves out everything after the first
 * such part, and shows an array as if it were complete.
 *
 * Modelled on libbpf's `btf_dump__dump_type_data`. Where libbpf hides or changes data, the text differs from it:
 * docs/btf-library.md lists the cases.
 *
 * @throws BtfReadError as `readValue` does.
 * @throws BtfFormatError `INVALID_ARGUMENT` for an invalid `indent` or `indentLevel`.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the text exceeds `maxLength`.
 */
export function formatValue(
  spec: Spec,
  id: TypeId,
  bytes: Uint8Array,
  options: FormatValueOptions = {},
): FormattedValue {
  const { indent = '\t', indentLevel = 0 } = options;
  if (!INDENT.test(indent)) {
    const message = `invalid indent ${JSON.stringify(indent)}: use at most 31 ASCII characters`;
    throw new BtfFormatError('INVALID_ARGUMENT', message);
  }
  if (!Number.isInteger(indentLevel) || indentLevel < 0 || indentLevel > MAX_LEVEL) {
    throw new BtfFormatError('INVALID_ARGUMENT', `invalid indentLevel ${indentLevel}: use 0 to ${MAX_LEVEL}`);
  }
  const input = new ValueInput(spec, id, bytes, options);
  const printer = new ValuePrinter(input, {
    compact: options.compact ?? false,
    skipNames: options.skipNames ?? false,
    emitZeroes: options.emitZeroes ?? false,
    emitStrings: options.emitStrings ?? false,
    indent,
    indentLevel,
    maxLength: options.maxLength ?? DEFAULT_MAX_LENGTH,
  });
  return { text: printer.print(id), ...input.extent() };
}
