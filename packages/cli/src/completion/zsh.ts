import { type CommandNode, type Completes, type OptionNode, optionsOf, PLAIN_NAME } from './command-tree.js';

/** zshCompletion returns the completion script for zsh. */
export function zshCompletion(root: CommandNode): string {
  return `#compdef btfctl
# Completion of btfctl for zsh, printed by \`btfctl completion zsh\`.
#     source <(btfctl completion zsh)

_btfctl_ask() {
  # Use the daemon and the config file that were typed before. _arguments only knows the options of one command.
  local -a target names
  local -i at
  for ((at = 2; at < $#_btfctl_typed; at++)); do
    case $_btfctl_typed[at] in
      -a | --address | --context | --config) target+=("$_btfctl_typed[at]" "\${(Q)_btfctl_typed[at + 1]}") ;;
      --address=* | --context=* | --config=*) target+=("\${(Q)_btfctl_typed[at]}") ;;
    esac
  done
  names=(\${(f)"$(btfctl $target --quiet --timeout 2s -o name "$@" 2>/dev/null | LC_ALL=C grep -xE '${PLAIN_NAME}')"})
  compadd -a names
}
# Not _btfctl_context and so on, which complete the commands of that name.
_btfctl_some_object() { _btfctl_ask list; _files }
# A kernel has too many types to list them all.
_btfctl_some_type() { (( \${#PREFIX} >= 2 )) && _btfctl_ask find --in vmlinux "$PREFIX*" }
_btfctl_some_context() { _btfctl_ask context list }

${functions('_btfctl', root, root)}
_btfctl_start() {
  local -a _btfctl_typed=("\${(@)words[1, CURRENT - 1]}")
  _btfctl
}
compdef _btfctl_start btfctl
`;
}

function functions(name: string, node: CommandNode, root: CommandNode): string {
  const specs = optionsOf(node, root).map(optionSpec);
  if (node.commands.length === 0) {
    return `${name}() {
  _arguments -S ${[...specs, `'*:${argumentName(node.words)}:${action(node.words)}'`].join(' \\\n    ')}
}
`;
  }
  const described = node.commands.flatMap(({ names, description }) =>
    names.map((one) => `    '${one}:${quoted(description)}'`),
  );
  const cases = node.commands.map(
    (child) => `        ${child.names.join('|')}) ${name}_${child.names[0] ?? ''} ;;`,
  );
  return `${name}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -C ${[...specs, `'1:command:->command'`, `'*::words:->words'`].join(' \\\n    ')}
  case $state in
    command) _describe command commands ;;
    words)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}
${node.commands.map((child) => functions(`${name}_${child.names[0] ?? ''}`, child, root)).join('')}`;
}

function optionSpec({ flags, description, value }: OptionNode): string {
  const text = `[${quoted(description).replaceAll(/[[\]]/g, '')}]${value === null ? '' : `:${argumentName(value)}:${action(value)}`}`;
  const [first = ''] = flags;
  return flags.length === 1 ? `'*${first}${text}'` : `'*'{${flags.join(',')}}'${text}'`;
}

function argumentName(value: Completes): string {
  return typeof value === 'string' ? value : 'value';
}

function action(value: Completes): string {
  if (typeof value !== 'string') return `(${value.join(' ')})`;
  if (value === 'nothing') return '';
  return value === 'file' ? '_files' : `_btfctl_some_${value}`;
}

/** Escapes a text for single quotes, and the colons, which would end it. */
function quoted(text: string): string {
  return text.replaceAll("'", String.raw`'\''`).replaceAll(':', String.raw`\:`);
}
