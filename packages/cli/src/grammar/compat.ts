import { Command, InvalidArgumentError, Option } from 'commander';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, collector, repeated } from './options.js';

/** CheckOptions are the options of a check that hold for every kernel. */
export interface CheckOptions {
  readonly loader: 'libbpf' | 'cilium';
  readonly modules?: readonly string[];
  readonly program?: readonly string[];
  /** `PROGRAM=TARGET` each. */
  readonly attach?: readonly string[];
  /** `VARIABLE=VALUE` each. */
  readonly set?: readonly string[];
  readonly all?: boolean;
  readonly risk: 'allow' | 'refuse';
}

/** CompatOptions are the options of `btfctl compat`. */
export interface CompatOptions extends CheckOptions {
  readonly on?: readonly string[];
  /** Versions as in `LINUX_KERNEL_VERSION`. */
  readonly kernelVersion?: readonly number[];
  readonly minBtf?: string;
}

/** compatCommand is `btfctl compat`. */
export function compatCommand(action: Action): Command {
  return checkOptions(
    new Command('compat')
      .description(
        'check whether the programs of BPF objects fit kernels, as far as BTF shows, without loading them; ' +
          'exit status 8 if one does not fit',
      )
      .option('--on <spec>', 'a kernel; can be repeated; default: the kernel of the daemon', repeated),
  )
    .option(
      '--kernel-version <version>',
      'the version of a kernel in a file, such as 6.1.0; give one for each file if they differ',
      kernelVersions,
    )
    .option(
      '--min-btf <folder>',
      'write the smallest BTF that the relocations of the objects need into this folder, a file for each kernel',
    )
    .addHelpText(
      'after',
      `
A kernel is the SPEC of a vmlinux, or a folder with the BTF of vmlinux and of
its modules, such as /sys/kernel/btf.

${SPEC_HELP}`,
    )
    .action(action);
}

/** checkOptions declares the {@link CheckOptions} and the files. */
export function checkOptions(command: Command): Command {
  return command
    .argument(
      '<file...>',
      'a BPF object, an executable that embeds some, a folder or a glob of such files; - is standard input',
    )
    .addOption(
      new Option('--loader <loader>', 'the loader whose rules hold')
        .choices(['libbpf', 'cilium'])
        .default('libbpf'),
    )
    .option(
      '--modules <names>',
      'as if only these modules were loaded: names with commas between them, or none; default: all',
      moduleNames,
    )
    .option(
      '--program <glob>',
      'load the programs with this name, or that match this glob; can be repeated; default: those that the loader loads',
      repeated,
    )
    .option(
      '--attach <program=target>',
      'the function, or MODULE:FUNCTION, that user space attaches a program to; can be repeated',
      repeated,
    )
    .option(
      '--set <variable=value>',
      'the value that user space gives a variable of .rodata before the load: an integer, true, false, the name ' +
        'of an enum value, or hex:BYTES; can be repeated',
      repeated,
    )
    .option('--all', 'show all findings, also of what fits')
    .addOption(
      new Option('--risk <how>', 'whether a program that may fail counts as one that does not fit')
        .choices(['refuse', 'allow'])
        .default('refuse'),
    );
}

/** Collects names of modules. modprobe also takes dashes in them. */
const moduleNames = collector((text: string, before: readonly string[] | undefined): readonly string[] => {
  const names = text.split(',').map((name) => name.trim().replaceAll('-', '_'));
  if (names.includes('')) throw new InvalidArgumentError('A name is empty.');
  const all = [...(before ?? []), ...names];
  if (all.includes('none') && all.length > 1) throw new InvalidArgumentError('Use none alone.');
  return all;
});

/** The third number of a version has 8 bits. The kernel cuts a larger one to 255. */
const MOST = 255;

const kernelVersions = collector((text: string, before: readonly number[] | undefined): readonly number[] => {
  const [, major = '', minor = '', patch = '0'] =
    /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(?:-.*)?$/.exec(text) ?? [];
  const [a, b, c] = [Number(major), Number(minor), Math.min(MOST, Number(patch))];
  if (major === '' || a > MOST || b > MOST) {
    throw new InvalidArgumentError('Use a version such as 6.1 or 6.1.140.');
  }
  return [...(before ?? []), a * 65_536 + b * 256 + c];
});
