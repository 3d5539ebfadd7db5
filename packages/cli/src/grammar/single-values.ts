import type { Command, Option } from 'commander';

/**
 * refuseRepeats makes it an error to give an option with one value twice: commander would use the last value silently. Options
 * that collect their values, which is a list then, can be repeated.
 */
export function refuseRepeats(command: Command): void {
  for (const option of command.options) if (option.required || option.optional) refuseRepeat(command, option);
}

function refuseRepeat(command: Command, option: Option): void {
  let first: string | null = null;
  // After commander has taken the value.
  command.on(`option:${option.name()}`, (text: string | null) => {
    const value = text ?? '';
    if (first === null) first = value;
    else if (!Array.isArray(command.getOptionValue(option.attributeName()))) {
      const both = `${JSON.stringify(first)} and ${JSON.stringify(value)}`;
      command.error(`error: option '${option.flags}' is given twice, with ${both}: give it once`);
    }
  });
}
