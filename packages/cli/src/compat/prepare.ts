import { BtfReadError, type BpfObject, nearNames, readPrograms } from '@btfd/btf';
import { type CliError, notFound } from '../error/cli-error.js';
import { someOf } from '../output/some-of.js';
import { nameTest } from '../source/glob.js';
import type { BpfFile, FileFailure } from './bpf-files.js';
import { readOnlyVariables, type Setting, settingOf, valueOf } from './variable-values.js';

/** PreparedFile is an object with the programs to load and the values of its variables. */
export interface PreparedFile extends BpfFile {
  /** The names of the programs; null for those that the loader loads. */
  readonly programs: readonly string[] | null;
  /** Values of read-only variables, by name. */
  readonly variables: Readonly<Record<string, Uint8Array>>;
  /** The targets to attach programs to, by the names of the programs. */
  readonly attachTargets: Readonly<Record<string, string>>;
}

/** Prepared are the {@link PreparedFile}s of objects, and the failures. */
export interface Prepared {
  readonly files: readonly PreparedFile[];
  readonly failures: readonly FileFailure[];
  /** The names of the objects that have none of the programs. */
  readonly skipped: readonly string[];
}

/** Choices are the options that depend on what an object has. */
export interface Choices {
  /** `--program`: names and globs. */
  readonly programs: readonly string[];
  /** `--set`: `VARIABLE=VALUE` each. Of several for one variable the last holds. */
  readonly settings: readonly string[];
  /** `--attach`: `PROGRAM=TARGET` each. Of several for one program the last holds. */
  readonly targets: readonly string[];
}

/**
 * prepareFiles finds the programs and the variables of objects that options name. An object need not have all of them, but
 * one of the objects must.
 *
 * @throws CliError USAGE for an invalid option, and a value that a variable cannot have; NOT_FOUND for a program or a
 * variable that no object has.
 */
export function prepareFiles(files: readonly BpfFile[], choices: Choices): Prepared {
  const settings = choices.settings.map((text) => settingOf('--set', text));
  const targets = choices.targets.map((text) => settingOf('--attach', text));
  const globs = choices.programs.map((glob): Glob => ({ glob, matches: nameTest(glob) }));
  const prepared: PreparedFile[] = [];
  const failures: FileFailure[] = [];
  for (const file of files) {
    try {
      prepared.push({
        ...file,
        programs: globs.length === 0 ? null : programsOf(file.object).filter((name) => isChosen(name, globs)),
        variables: valuesOf(file.object, settings),
        attachTargets: targetsOf(file.object, targets),
      });
    } catch (error) {
      if (!(error instanceof BtfReadError)) throw error;
      failures.push({ path: file.name, error });
    }
  }
  if (prepared.length > 0) {
    checkPrograms(prepared, globs);
    checkTargets(prepared, targets);
    checkVariables(prepared, settings);
  }
  const skipped = prepared.filter(({ programs }) => programs?.length === 0);
  return {
    files: prepared.filter((file) => !skipped.includes(file)),
    failures,
    skipped: skipped.map(({ name }) => name),
  };
}

interface Glob {
  readonly glob: string;
  readonly matches: (name: string) => boolean;
}

function isChosen(name: string, globs: readonly Glob[]): boolean {
  return globs.some(({ matches }) => matches(name));
}

function programsOf(object: BpfObject): string[] {
  return readPrograms(object).flatMap(({ name, isSubprogram }) => (isSubprogram ? [] : [name]));
}

function valuesOf(object: BpfObject, settings: readonly Setting[]): Readonly<Record<string, Uint8Array>> {
  if (settings.length === 0) return {};
  const variables = readOnlyVariables(object);
  const values = settings.flatMap((setting) => {
    const typeId = variables.get(setting.name);
    return typeId === undefined ? [] : [[setting.name, valueOf(object, typeId, setting)] as const];
  });
  return Object.fromEntries(values);
}

function targetsOf(object: BpfObject, targets: readonly Setting[]): Readonly<Record<string, string>> {
  if (targets.length === 0) return {};
  const programs = new Set(programsOf(object));
  return Object.fromEntries(
    targets.flatMap(({ name, value }) => (programs.has(name) ? [[name, value]] : [])),
  );
}

function checkPrograms(files: readonly PreparedFile[], globs: readonly Glob[]): void {
  for (const { glob, matches } of globs) {
    if (files.some(({ programs }) => programs?.some(matches))) continue;
    throw noSuch(
      'program',
      glob,
      files.flatMap(({ object }) => programsOf(object)),
    );
  }
}

function checkTargets(files: readonly PreparedFile[], targets: readonly Setting[]): void {
  for (const { name } of targets) {
    if (files.some(({ attachTargets }) => Object.hasOwn(attachTargets, name))) continue;
    throw noSuch(
      'program',
      name,
      files.flatMap(({ object }) => programsOf(object)),
    );
  }
}

function checkVariables(files: readonly PreparedFile[], settings: readonly Setting[]): void {
  for (const { name } of settings) {
    if (files.some(({ variables }) => Object.hasOwn(variables, name))) continue;
    throw noSuch(
      'read-only variable',
      name,
      files.flatMap(({ object }) => [...readOnlyVariables(object).keys()]),
    );
  }
}

function noSuch(what: string, name: string, known: readonly string[]): CliError {
  const names = [...new Set(known)];
  const near = nearNames(name, names);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : knownOf(what, names);
  return notFound(`no object has a ${what} ${JSON.stringify(name)}`, hint);
}

/** The number of names that fit a line. */
const MOST_NAMED = 10;

function knownOf(what: string, names: readonly string[]): string {
  return names.length === 0 ? `there is no ${what}` : `there are ${someOf(names, MOST_NAMED)}`;
}
