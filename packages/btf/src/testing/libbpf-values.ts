import { readFileSync } from 'node:fs';
import type { TypeId } from '../types.js';
import type { FormatValueOptions } from '../value/format-value.js';
import { LibbpfProgram } from './libbpf-program.js';

/** The declarations of libbpf's `btf.h` that are used, so that its development files need not be installed. */
const SOURCE = `
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
struct btf;
struct btf_dump;
struct btf_dump_type_data_opts {
  size_t sz;
  const char *indent_str;
  int indent_level;
  bool compact, skip_names, emit_zeroes, emit_strings;
  size_t :0;
};
typedef void (*print_fn)(void *context, const char *format, va_list arguments);
struct btf *btf__parse(const char *path, void *ext);
struct btf *btf__parse_split(const char *path, struct btf *base);
struct btf_dump *btf_dump__new(const struct btf *btf, print_fn print, void *context, const void *opts);
int btf_dump__dump_type_data(struct btf_dump *dump, uint32_t id, const void *data, size_t size,
                             const struct btf_dump_type_data_opts *opts);
int (*libbpf_set_print(void *print))(void);

static char *text;
static size_t length, room;

static void print(void *context, const char *format, va_list arguments)
{
  va_list again;
  va_copy(again, arguments);
  size_t more = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (length + more + 1 > room)
    text = realloc(text, room = (length + more + 1) * 2);
  length += vsprintf(text + length, format, arguments);
}

/* Zeroes after the data, because libbpf reads the whole integer of a bitfield. */
enum { AFTER = 4096 };

int main(int argc, char **argv)
{
  struct btf *base = argc > 4 ? btf__parse(argv[4], NULL) : NULL;
  struct btf *btf = base ? btf__parse_split(argv[1], base) : btf__parse(argv[1], NULL);
  FILE *in = fopen(argv[2], "rb"), *out = fopen(argv[3], "wb");
  uint32_t words[5];
  char indent[32];
  libbpf_set_print(NULL);
  if (!btf || !in || !out)
    return 1;
  struct btf_dump *dump = btf_dump__new(btf, print, NULL, NULL);
  while (fread(words, sizeof(words), 1, in) == 1) {
    uint32_t id = words[0], flags = words[1], level = words[2], indent_size = words[3], size = words[4];
    if (fread(indent, 1, indent_size, in) != indent_size)
      return 2;
    indent[indent_size] = 0;
    char *data = calloc(1, size + AFTER);
    if (fread(data, 1, size, in) != size)
      return 3;
    struct btf_dump_type_data_opts opts = {
      .sz = sizeof(opts), .indent_str = indent, .indent_level = level, .compact = flags & 1,
      .skip_names = flags & 2, .emit_zeroes = flags & 4, .emit_strings = flags & 8,
    };
    /* A process for each value, because a btf_dump numbers the names of all values that it prints. */
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
      int32_t result = btf_dump__dump_type_data(dump, id, data, size, &opts);
      uint32_t answer[2] = { result, length };
      fwrite(answer, sizeof(answer), 1, out);
      fwrite(text, 1, length, out);
      _exit(fflush(out) != 0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
      return 4;
    free(data);
  }
  return fclose(out) != 0;
}
`;

/** ValueRequest is a value for libbpf to print. */
export interface ValueRequest {
  readonly id: TypeId;
  readonly bytes: Uint8Array;
  readonly options?: FormatValueOptions;
}

/** ValueAnswer is what libbpf printed, and the size of the type or a negative error number. */
export interface ValueAnswer {
  readonly text: string;
  readonly result: number;
}

/** LibbpfValues prints values with libbpf's `btf_dump__dump_type_data` (1.7), in a small program that gcc builds. */
export class LibbpfValues {
  readonly #program = new LibbpfProgram(SOURCE);

  /** print prints values of the types of one BTF, which stands alone or is split from a base. */
  print(btf: Uint8Array, requests: readonly ValueRequest[], base?: Uint8Array): ValueAnswer[] {
    const input = this.#program.file('btf', btf);
    const asked = this.#program.file('asked', Buffer.concat(requests.map(requestBytes)));
    const output = this.#program.path('output');
    const bases = base === undefined ? [] : [this.#program.file('base', base)];
    this.#program.run([input, asked, output, ...bases]);
    return answersOf(readFileSync(output));
  }

  /** Removes the program and its files. */
  close(): void {
    this.#program.close();
  }
}

function requestBytes({ id, bytes, options = {} }: ValueRequest): Uint8Array {
  const flags =
    (options.compact === true ? 1 : 0) |
    (options.skipNames === true ? 2 : 0) |
    (options.emitZeroes === true ? 4 : 0) |
    (options.emitStrings === true ? 8 : 0);
  const indent = Buffer.from(options.indent ?? '\t');
  const words = new Uint32Array([id, flags, options.indentLevel ?? 0, indent.length, bytes.length]);
  return Buffer.concat([new Uint8Array(words.buffer), indent, bytes]);
}

function answersOf(bytes: Buffer): ValueAnswer[] {
  const answers: ValueAnswer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    answers.push({
      result: bytes.readInt32LE(at),
      text: bytes.toString('utf8', at + 8, at + 8 + length),
    });
    at += 8 + length;
  }
  return answers;
}
