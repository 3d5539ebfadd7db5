/** TEXT_FORMATS are what `dump --format` can say for text. */
export const TEXT_FORMATS = ['raw', 'c', 'json', 'layout'] as const;

/** TextFormat is one of {@link TEXT_FORMATS}. */
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** DUMP_FORMATS are what `dump --format` can say. */
export const DUMP_FORMATS = [...TEXT_FORMATS, 'btf'] as const;

/** DumpFormat is one of {@link DUMP_FORMATS}. */
export type DumpFormat = (typeof DUMP_FORMATS)[number];
