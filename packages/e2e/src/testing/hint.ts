import type { Ran } from './btfctl.js';

/**
 * hintedCommand returns the arguments of the command in the hint that btfctl printed.
 *
 * @param values replace placeholders in capitals, such as NAME.
 */
export function hintedCommand({ stderr }: Ran, values: Readonly<Record<string, string>> = {}): string[] {
  const [, command] = /^hint: .*?`btfctl (.*?)`/m.exec(stderr) ?? [];
  if (command === undefined) throw new Error(`no hint with a command in ${stderr}`);
  const words = command.match(/"[^"]*"|\S+/g) ?? [];
  return words.map((word) =>
    word.replaceAll('"', '').replaceAll(/[A-Z]{2,}/g, (name) => values[name] ?? name),
  );
}
