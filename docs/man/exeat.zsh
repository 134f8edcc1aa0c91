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
            'rehearse:Restore an archive in throw-away targets, probe it, time it, sign the result.'
            'attest:Sign the next document of an archive'\''s dossier.'
            'report:Write the dossier of an archive as one HTML file, in French or English.'
            'deadlines:Reckon the dates that law and contract set for a plan.'
            'help:Show subcommand help information.'
        )
        _describe -V subcommand subcommands && ret=0
        ;;
    arg)
        case "${words[1]}" in
        keys|plan|export|verify|inspect|extract|import|rehearse|attest|report|deadlines|help)
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
        '--rehearsals[The folder of past rehearsals, which tell how long a restore takes.]:rehearsals:'
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
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '*--tsa-policy[A policy that time-stamps may be made under, such as 1.2.3.4. Repeatable.]:tsa-policy:'
        '*--token[A time-stamp that came by another way than the archive. Repeatable.]:token:'
        '--require-timestamp[Fail unless trusted time-stamps open and close the archive.]'
        '--accept-expired[Accept an archive that was to be restored before now.]'
        '*--decrypt-with[A file with age identities, encrypted with a passphrase or not. Repeatable.]:decrypt-with:'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--dossier[A folder with documents about the archive, besides its proof/.]:folder:'
        '--proof-only[Be content with a copy of the proof alone, whose data cannot be checked.]'
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
        '--compare[Compare the facts about machines with those of another archive.]:compare:'
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
        '--seen[Where it is remembered which archives were imported.]:seen:'
        '--accept-older[Accept an archive although a newer one of its series was imported.]'
        '--accept-expired[Accept an archive that was to be restored before now.]'
        '*--approved-by[Who accepts it; two different people. They stand in the receipt.]:approved-by:'
        '--reason[Why it is accepted.]:reason:'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--json[Print the result as JSON.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_rehearse() {
    local -i ret=1
    local -ar ___progress=('auto' 'plain' 'json' 'none')
    local -ar arg_specs=(
        ':archive:'
        ':plan:'
        '*--trust[A trust file\: who may seal. Repeatable.]:trust:'
        '*--decrypt-with[A file with age identities, encrypted with a passphrase or not. Repeatable.]:decrypt-with:'
        '--sign-with[The stem of the keys that sign the receipt.]:sign-with:'
        '--objective[Within what time all must be restored and checked, such as 4h (the default).]:objective:'
        '--time-limit[A time after which the rehearsal stops, such as 6h.]:time-limit:'
        '*--only[Rehearse this source alone. Repeatable.]:only:'
        '--work[Where targets, receipts and the history are kept (default\: ./NAME.rehearsals).]:work:'
        '--keep[Leave the targets as they are, servers and machines running.]'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--json[Print the result as JSON.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_attest() {
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
            'plan:The customer agrees to a plan, before anything leaves.'
            'accept:The customer has integrated the data and can use it.'
            'request-erasure:The customer asks that the source be erased.'
            'override:One of two people approves an erasure that the lock does not allow yet.'
            'erase:Certify that the source was erased.'
            'status:Show documents, dates and the lock of the erasure.'
            'timestamp:Add time-stamps that an authority gave after the run, or write requests for them.'
        )
        _describe -V subcommand subcommands && ret=0
        ;;
    arg)
        case "${words[1]}" in
        plan|accept|request-erasure|override|erase|status|timestamp)
            "_exeat_attest_${words[1]}" && ret=0
            ;;
        esac
        ;;
    esac

    return "${ret}"
}

_exeat_attest_plan() {
    local -i ret=1
    local -ar arg_specs=(
        ':plan:'
        '--sign-with[The stem given to exeat keys new, such as keys/hospital.]:sign-with:'
        '--output[Where to write; run.agreement of the plan unless given.]:output:'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_attest_accept() {
    local -i ret=1
    local -ar arg_specs=(
        ':archive:'
        '*--trust[A trust file\: who may sign what. Repeatable.]:trust:'
        '--dossier[A folder with documents, where new ones are written, too.]:folder:'
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '--json[Print the result as JSON.]'
        '--sign-with[The stem given to exeat keys new, such as keys/hospital.]:sign-with:'
        '--receipt[The number of the receipt that is accepted; the last one unless given.]:receipt:'
        '*--reservation[What is accepted with a reservation; no names of people. Repeatable.]:reservation:'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_attest_request-erasure() {
    local -i ret=1
    local -ar arg_specs=(
        ':archive:'
        '*--trust[A trust file\: who may sign what. Repeatable.]:trust:'
        '--dossier[A folder with documents, where new ones are written, too.]:folder:'
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '--json[Print the result as JSON.]'
        '--sign-with[The stem given to exeat keys new, such as keys/hospital.]:sign-with:'
        '--scope[What is to be erased.]:scope:'
        '--formal-notice[The day on which the source gave formal notice.]:formal-notice:'
        '--not-before[A later day that was agreed.]:not-before:'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_attest_override() {
    local -i ret=1
    local -ar arg_specs=(
        ':archive:'
        '*--trust[A trust file\: who may sign what. Repeatable.]:trust:'
        '--dossier[A folder with documents, where new ones are written, too.]:folder:'
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '--json[Print the result as JSON.]'
        '--sign-with[The stem given to exeat keys new, such as keys/hospital.]:sign-with:'
        '--name[The name of the person who approves.]:name:'
        '--reason[Why the lock is overridden.]:reason:'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_attest_erase() {
    local -i ret=1
    local -ar arg_specs=(
        ':archive:'
        '*--trust[A trust file\: who may sign what. Repeatable.]:trust:'
        '--dossier[A folder with documents, where new ones are written, too.]:folder:'
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '--json[Print the result as JSON.]'
        '--sign-with[The stem given to exeat keys new, such as keys/hospital.]:sign-with:'
        '*--method[overwrite, key-destruction, physical-destruction, secure-recycling. Repeatable.]:method:'
        '*--medium[A medium that was erased\: serial number, volume. Repeatable.]:medium:'
        '*--key-id[A key that was destroyed. Repeatable.]:key-id:'
        '--started[When it began, such as 2027-04-02T08\:00\:00Z; now unless given.]:started:'
        '--completed[When it ended; now unless given.]:completed:'
        '--formal-notice[The day on which the formal notice was given.]:formal-notice:'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_attest_status() {
    local -i ret=1
    local -ar arg_specs=(
        ':archive:'
        '*--trust[A trust file\: who may sign what. Repeatable.]:trust:'
        '--dossier[A folder with documents, where new ones are written, too.]:folder:'
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '--json[Print the result as JSON.]'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_attest_timestamp() {
    local -i ret=1
    local -ar arg_specs=(
        ':archive:'
        '*--token[A file with a time-stamp (.tsr). Repeatable.]:token:'
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '*--tsa-policy[A policy that time-stamps may be made under; with --request-to the one to ask for.]:tsa-policy:'
        '--request-to[Write the requests for both time-stamps to this directory.]:request-to:'
        '--json[Print the result as JSON.]'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_report() {
    local -i ret=1
    local -ar ___lang=('fr' 'en')
    local -ar ___progress=('auto' 'plain' 'json' 'none')
    local -ar arg_specs=(
        ':archive:'
        '--lang[The language of the report\: fr or en.]:lang:{__exeat_complete "${___lang[@]}"}'
        '*--trust[A trust file\: who may sign. Repeatable.]:trust:'
        '*--tsa-ca[A PEM file with the root of a time-stamping authority to believe. Repeatable.]:tsa-ca:'
        '*--token[A time-stamp that came by another way than the archive. Repeatable.]:token:'
        '*--decrypt-with[A file with age identities, encrypted with a passphrase or not. Repeatable.]:decrypt-with:'
        '--passphrase-file[A file with the passphrase of identity files that are encrypted.]:passphrase-file:'
        '--names[Show the real names of objects, where the plan allowed it.]'
        '--output[The file to write; without it the report goes to standard output.]:output:'
        '--json[Print the report as JSON.]'
        '--dossier[A folder with documents about the archive, besides its proof/.]:folder:'
        '--proof-only[In place of a report, copy the archive without data/ to --output.]'
        '--progress[How to show progress on standard error\: auto, plain, json, none.]:progress:{__exeat_complete "${___progress[@]}"}'
        '--version[Show the version.]'
        '(-h --help)'{-h,--help}'[Show help information.]'
    )
    _arguments -w -s -S : "${arg_specs[@]}" && ret=0

    return "${ret}"
}

_exeat_deadlines() {
    local -i ret=1
    local -ar arg_specs=(
        ':plan:'
        '--today[The day to judge by; the present one unless given.]:today:'
        '--json[Print the result as JSON.]'
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
