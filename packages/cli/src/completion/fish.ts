import { type CommandNode, type Completes, isSame, type OptionNode, PLAIN_NAME } from './command-tree.js';

/** fishCompletion returns the completion script for fish. */
export function fishCompletion(root: CommandNode): string {
  return `# Completion of btfctl for fish, printed by \`btfctl completion fish\`.
#     btfctl completion fish | source

function __btfctl_ask
    # Use the daemon and the config file that were typed before.
    set -l target
    set -l words (commandline -opc)
    for i in (seq (count $words))
        if contains -- $words[$i] -a --address --context --config; and test $i -lt (count $words)
            set -a target $words[$i] $words[(math $i + 1)]
        else if string match -qr '^--(address|context|config)=' -- $words[$i]
            set -a target $words[$i]
        end
    end
    btfctl $target --quiet --timeout 2s -o name $argv 2>/dev/null | string match -r '^${PLAIN_NAME}$'
end
function __btfctl_object
    __btfctl_ask list
    __fish_complete_path (commandline -ct)
end
# A kernel has too many types to list them all.
function __btfctl_type
    set -l word (commandline -ct)
    test (string length -- $word) -ge 2; and __btfctl_ask find --in vmlinux "$word*"
end
function __btfctl_context
    __btfctl_ask context list
end

complete -c btfctl -f
${root.options.map((option) => optionLine(option, elsewhere(option, root))).join('')}${root.commands.map((command) => commandLines(command, [], root)).join('')}`;
}

function commandLines(node: CommandNode, before: readonly string[], parent: CommandNode): string {
  const siblings = parent.commands.flatMap(({ names }) => names);
  // After the words that lead here, and before one of the siblings.
  const here = [
    ...before.map((name) => `__fish_seen_subcommand_from ${name}`),
    `not __fish_seen_subcommand_from ${siblings.join(' ')}`,
  ];
  const seen = [...before, node.names.join(' ')];
  const within = seen.map((names) => `__fish_seen_subcommand_from ${names}`).join('; and ');
  const words =
    node.commands.length > 0 || node.words === 'nothing'
      ? ''
      : `complete -c btfctl -n '${within}' ${argument(node.words)}\n`;
  return [
    ...node.names.map(
      (name) =>
        `complete -c btfctl -n '${here.join('; and ')}' -a ${name} -d '${quoted(node.description)}'\n`,
    ),
    ...node.options.map((option) => optionLine(option, within)),
    words,
    ...node.commands.map((child) => commandLines(child, seen, node)),
  ].join('');
}

/** Returns the condition for an option of every command, because some commands override its values; null if none does. */
function elsewhere(option: OptionNode, root: CommandNode): string | null {
  const names = root.commands.flatMap((command) => having(option, command));
  return names.length === 0 ? null : `not __fish_seen_subcommand_from ${names.join(' ')}`;
}

function having(option: OptionNode, { names, options, commands }: CommandNode): readonly string[] {
  const own = options.some((one) => isSame(one, option)) ? names : [];
  return [...own, ...commands.flatMap((command) => having(option, command))];
}

function optionLine({ flags, description, value }: OptionNode, condition: string | null): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const when = condition === null ? '' : ` -n '${condition}'`;
  const takes = value === null ? '' : ` ${value === 'file' ? '-r -F' : `-x ${argument(value)}`.trimEnd()}`;
  return `complete -c btfctl${when} ${names.join(' ')}${takes} -d '${quoted(description)}'\n`;
}

function argument(value: Completes): string {
  if (typeof value !== 'string') return `-a '${value.join(' ')}'`;
  if (value === 'nothing') return '';
  return value === 'file' ? '-F' : `-a '(__btfctl_${value})'`;
}

function quoted(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`);
}
