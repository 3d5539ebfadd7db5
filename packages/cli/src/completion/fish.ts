/** FISH_COMPLETION is the completion script for fish. */
export const FISH_COMPLETION = `# Completion of btfctl for fish, printed by \`btfctl completion fish\`.
#     btfctl completion fish | source

# Sets the words to offer. Fails to have fish complete files.
function __btfctl_ask
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    set -l program $words[1]
    set -g __btfctl_words
    command -q -- $program; or set program btfctl
    # fish would report a missing command on the terminal.
    command -q -- $program; or return 0
    set __btfctl_words ($program __complete fish "$token" $words[2..] </dev/null 2>/dev/null)
    set -l kind $__btfctl_words[1]
    set -e __btfctl_words[1]
    switch "$kind"
        case words
        case files
            return 1
        case folders
            set __btfctl_words (__fish_complete_directories "$token" '')
        case command
            set -l other $words[(math (contains -i -- -- $words) + 1)..]
            set __btfctl_words (complete -C (string join ' ' -- (string escape -- $other) "$token"))
        case '*'
            # Of a later version.
            set __btfctl_words
    end
    return 0
end

complete -c btfctl -e
complete -c btfctl -n __btfctl_ask -f -a '$__btfctl_words'
`;
