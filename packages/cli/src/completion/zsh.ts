/** ZSH_COMPLETION is the completion script for zsh. It needs `compinit`. */
export const ZSH_COMPLETION = `#compdef btfctl
# Completion of btfctl for zsh, printed by \`btfctl completion zsh\`.
#     source <(btfctl completion zsh)

_btfctl() {
  local program=\${\${(Q)words[1]}/#\\~\\//$HOME/}
  local -a answer kind open ended
  local -i at found=1
  whence -p -- "$program" >/dev/null || program=btfctl
  answer=("\${(@f)$("$program" __complete zsh "$PREFIX" "\${(@Q)words[2,CURRENT-1]}" </dev/null 2>/dev/null)}")
  kind=(\${=answer[1]})
  shift answer
  # The length of the part of the word that the answer leaves out.
  compset -p \${kind[2]:-0}
  case $kind[1] in
    words)
      # The first ones go on, as a folder does, so they get no space.
      open=(\${answer[1,kind[3]]})
      ended=(\${answer[kind[3]+1,-1]})
      (( $#open )) && _describe btfctl open -S '' && found=0
      (( $#ended )) && _describe btfctl ended && found=0
      return found
      ;;
    files) _files ;;
    folders) _files -/ ;;
    command)
      at=\${words[(i)--]}
      words=("\${(@)words[at+1,-1]}")
      (( CURRENT -= at ))
      _normal
      ;;
  esac
}
# As a file in fpath, it is run for its first completion.
if [[ $funcstack[1] == _btfctl ]]; then
  _btfctl "$@"
else
  compdef _btfctl btfctl
fi
`;
