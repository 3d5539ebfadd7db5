/** BASH_COMPLETION is the completion script for bash. It does not need the package bash-completion. */
export const BASH_COMPLETION = `# Completion of btfctl for bash, printed by \`btfctl completion bash\`.
#     source <(btfctl completion bash)

_btfctl() {
  local program=\${1//\\\\/} line=\${COMP_LINE:0:COMP_POINT} kind word
  program=\${program/#\\~\\//$HOME/}
  type -P -- "$program" >/dev/null || program=btfctl
  mapfile -t COMPREPLY < <("$program" __complete bash "$2" "$line" </dev/null 2>/dev/null)
  kind=\${COMPREPLY[0]}
  COMPREPLY=("\${COMPREPLY[@]:1}")
  case $kind in
    words) ;;
    # The word goes on, as after a folder.
    open) compopt -o nospace ;;
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
    command)
      for ((word = 1; word < COMP_CWORD; word++)); do [[ \${COMP_WORDS[word]} == -- ]] && break; done
      if declare -F _command_offset >/dev/null; then
        # Of the package bash-completion.
        _command_offset $((word + 1))
      elif ((COMP_CWORD == word + 1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$2")
      else
        compopt -o default
      fi
      ;;
    # Of a later version.
    *) COMPREPLY=() ;;
  esac
}
complete -F _btfctl btfctl
`;
