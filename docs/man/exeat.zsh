#compdef exeat

__exeat_complete() {
    local -ar non_empty_completions=("${@:#(|:*)}")
    local -ar empty_completions=("${(M)@:#(|:*)}")
    _describe -V '' non_empty_completions -- empty_completions -P $'\'\''
}

__exeat_custom_complete() {
    local -a completions
    completions=("${(@f)"$("${command_name}" "${@}" "${command_line[@]}")"}")
    if [[ "${#completions[@]}" -gt 1 ]]; then
        __exeat_complete "${completions[@]:0:-1}"
    fi
}

__exeat_cursor_index_in_current_word() {
    if [[ -z "${QIPREFIX}${IPREFIX}${PREFIX}" ]]; then
        printf 0
    else
        printf %s "${#${(z)LBUFFER}[-1]}"
    fi
}

_exeat() {
    emulate -RL zsh -G
    setopt extendedglob nullglob numericglobsort
    unsetopt aliases banghist

    local -xr SAP_SHELL=zsh
    local -x SAP_SHELL_VERSION
    SAP_SHELL_VERSION="$(builtin emulate zsh -c 'printf %s "${ZSH_VERSION}"')"
    local -r SAP_SHELL_VERSION

    local context state state_descr line
    local -A opt_args

    local -r command_name="${words[1]}"
    local -ar command_line=("${words[@]}")
    local -ir current_word_index="$((CURRENT - 1))"

    local -i ret=1
    local -ar arg_specs=(
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
        '(-): :->command'
        '(-)*:: :->arg'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0
    case "${state}" in
    command)
        local -ar subcommands=(
            'keys:Make keys for sealing, signing and encrypting.'
            'plan:Look at the sources of a plan: volumes, risks, omissions, duration.'
            'export:Run a plan: pull its sources into a sealed archive.'
            'verify:Check an archive: every byte, both signatures, nothing more and nothing less.'
            'inspect:Show what an archive says it holds, without verifying it.'
            'extract:Decode artifacts to files in their standard formats (tar, JSON Lines, …).'
            'import:Replay an archive on targets, re-read them, and sign a receipt.'
            'help:Show subcommand help information.'
        )
        _describe -V subcommand subcommands && ret=0
        ;;
    arg)
        case "${words[1]}" in
        keys|plan|export|verify|inspect|extract|import|help)
            "_exeat_${words[1]}" && ret=0
            ;;
        esac
        ;;
    esac

    return "${ret}"
}

_exeat_keys() {
    local -i ret=1
    local -ar arg_specs=(
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
        '(-): :->command'
        '(-)*:: :->arg'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0
    case "${state}" in
    command)
        local -ar subcommands=(
            'new:Make a signing key pair and an age identity.'
        )
        _describe -V subcommand subcommands && ret=0
        ;;
    arg)
        case "${words[1]}" in
        new)
            "_exeat_keys_${words[1]}" && ret=0
            ;;
        esac
        ;;
    esac

    return "${ret}"
}

_exeat_keys_new() {
    local -i ret=1
    local -ar arg_specs=(
        ':name:'
        '*--role[What the key may sign\: exporter, importer, controller, eraser. Repeatable.]:role:'
        '--post-quantum[Make a post-quantum age identity (mlkem768x25519).]'
        '--json[Print the result as JSON.]'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_plan() {
    local -i ret=1
    local -ar ___progress=('auto' 'plain' 'json' 'none')
    local -ar arg_specs=(
        ':plan:'
        '--json[Print the result as JSON.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_export() {
    local -i ret=1
    local -ar ___progress=('auto' 'plain' 'json' 'none')
    local -ar arg_specs=(
        ':plan:'
        '--output[A directory, a file ending in .tar, or - for standard output.]:output:'
        '--json[Print the result as JSON.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_verify() {
    local -i ret=1
    local -ar ___progress=('auto' 'plain' 'json' 'none')
    local -ar arg_specs=(
        ':archive:'
        '*--trust[A trust file\: who may seal. Repeatable.]:trust:'
        '*--decrypt-with[A file with age identities, encrypted with a passphrase or not. Repeatable.]:decrypt-with:'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--json[Print the result as JSON.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_inspect() {
    local -i ret=1
    local -ar arg_specs=(
        ':archive:'
        ':path:'
        '*--decrypt-with[A file with age identities, encrypted with a passphrase or not. Repeatable.]:decrypt-with:'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--json[Print the result as JSON.]'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_extract() {
    local -i ret=1
    local -ar ___progress=('auto' 'plain' 'json' 'none')
    local -ar arg_specs=(
        ':archive:'
        ':artifact:'
        '--to[A directory that is empty or does not exist yet.]:to:'
        '*--trust[A trust file\: who may seal. Repeatable.]:trust:'
        '--unverified[Do not verify; what comes out may be forged.]'
        '*--decrypt-with[A file with age identities, encrypted with a passphrase or not. Repeatable.]:decrypt-with:'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--json[Print the result as JSON.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_import() {
    local -i ret=1
    local -ar ___progress=('auto' 'plain' 'json' 'none')
    local -ar arg_specs=(
        ':archive:'
        ':plan:'
        '--work[Where state and receipt are kept (default\: ./NAME.import).]:work:'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--json[Print the result as JSON.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_help() {
    local -i ret=1
    local -ar arg_specs=(
        '*:subcommands:'
        '--version[Show the version.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

if [[ "${funcstack[1]}" = _exeat ]]; then
    _exeat "${@}"
else
    compdef _exeat exeat
fi
