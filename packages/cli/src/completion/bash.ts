import { type CommandNode, type Completes, type OptionNode, optionsOf, PLAIN_NAME } from './command-tree.js';

/** bashCompletion returns the completion script for bash. It does not need the package bash-completion. */
export function bashCompletion(root: CommandNode): string {
  const { options, commands } = root;
  return `# Completion of btfctl for bash, printed by \`btfctl completion bash\`.
#     source <(btfctl completion bash)

# Names come from other machines, and compgen -W expands its words as the shell does, including commands in them.
_btfctl_ask() {
  btfctl "\${_btfctl_target[@]}" --quiet --timeout 2s -o name "$@" 2>/dev/null | LC_ALL=C grep -xE '${PLAIN_NAME}'
}

# Line by line, because file names can contain spaces and asterisks.
_btfctl_files() {
  local -a files
  mapfile -t files < <(compgen -f -- "$1")
  compopt -o filenames
  COMPREPLY+=("\${files[@]}")
}

_btfctl_complete() {
  case $1 in
    object)
      COMPREPLY+=($(compgen -W "$(_btfctl_ask list)" -- "$2"))
      _btfctl_files "$2"
      ;;
    # A kernel has too many types to list them all.
    type) [[ \${#2} -ge 2 ]] && COMPREPLY+=($(compgen -W "$(_btfctl_ask find --in vmlinux "$2*")" -- "$2")) ;;
    context) COMPREPLY+=($(compgen -W "$(_btfctl_ask context list)" -- "$2")) ;;
    file)
      _btfctl_files "$2"
      ;;
    words) COMPREPLY+=($(compgen -W "$3" -- "$2")) ;;
  esac
}

# Prints the kind of an option's value. $1 is its command and the option.
_btfctl_value() {
  case $1 in
${valueCases('', options)}${commands.flatMap((command) => paths(command).map(([path, node]) => valueCases(path, node.options))).join('')}    *) return 1 ;;
  esac
}

_btfctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev path='' glued='' word value i
  local -a _btfctl_target=() words=()
  COMPREPLY=()
  # Bash splits words at colons, which addresses contain, and at equals signs.
  for word in "\${COMP_WORDS[@]:0:COMP_CWORD}"; do
    if [[ $glued || $word =~ ^:+$ ]]; then
      words[\${#words[@]}-1]+=$word
    elif [[ $word != = ]]; then
      words+=("$word")
    fi
    [[ $word =~ ^:+$ ]] && glued=1 || glued=''
  done
  [[ $cur == = ]] && cur=''
  prev=\${words[\${#words[@]}-1]}
  for ((i = 1; i < \${#words[@]}; i++)); do
    word=\${words[i]}
    if [[ $word == -- ]]; then
      compopt -o default
      return
    elif [[ $word == -* ]]; then
      if value=$(_btfctl_value "$path $word") || value=$(_btfctl_value " $word"); then
        case $word in
          -a | --address | --context | --config) _btfctl_target+=("$word" "\${words[i+1]}") ;;
        esac
        ((i++))
      fi
    else
      case "$path/$word" in
${commands.flatMap((command) => steps('', command)).join('')}      esac
    fi
  done
  if [[ $prev == -* ]] && { value=$(_btfctl_value "$path $prev") || value=$(_btfctl_value " $prev"); }; then
    _btfctl_complete \${value%% *} "$cur" "\${value#* }"
    return
  fi
  case $path in
${[['', root] as const, ...commands.flatMap((command) => paths(command))].map(([path, node]) => wordCase(path, node, root)).join('')}  esac
}

complete -F _btfctl btfctl
`;
}

/** Returns a command and all below it, each with its path. An alias has the path of its command. */
function paths(node: CommandNode, before = ''): (readonly [path: string, node: CommandNode])[] {
  const path = `${before}/${node.names[0] ?? ''}`;
  return [[path, node], ...node.commands.flatMap((child) => paths(child, path))];
}

function steps(before: string, node: CommandNode): string[] {
  const path = `${before}/${node.names[0] ?? ''}`;
  const patterns = node.names.map((name) => `${before}/${name}`).join(' | ');
  return [`        ${patterns}) path=${path} ;;\n`, ...node.commands.flatMap((child) => steps(path, child))];
}

function valueCases(path: string, options: readonly OptionNode[]): string {
  return options
    .flatMap(({ flags, value }) =>
      value === null
        ? []
        : [`    ${flags.map((flag) => `'${path} ${flag}'`).join(' | ')}) echo '${completed(value)}' ;;\n`],
    )
    .join('');
}

function wordCase(path: string, node: CommandNode, root: CommandNode): string {
  const flags = optionsOf(node, root)
    .flatMap((option) => option.flags)
    .join(' ');
  const words = node.commands.length > 0 ? node.commands.flatMap(({ names }) => names) : node.words;
  return `    '${path}')
      if [[ $cur == -* ]]; then
        _btfctl_complete words "$cur" '${flags}'
      else
        _btfctl_complete ${typeof words === 'string' ? words : `words "$cur" '${words.join(' ')}'`}${typeof words === 'string' ? ' "$cur"' : ''}
      fi
      ;;
`;
}

function completed(value: Completes): string {
  return typeof value === 'string' ? value : `words ${value.join(' ')}`;
}
