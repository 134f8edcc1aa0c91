#!/bin/bash

__exeat_cursor_index_in_current_word() {
    local remaining="${COMP_LINE}"

    local word
    for word in "${COMP_WORDS[@]::COMP_CWORD}"; do
        remaining="${remaining##*([[:space:]])"${word}"*([[:space:]])}"
    done

    local -ir index="$((COMP_POINT - ${#COMP_LINE} + ${#remaining}))"
    if [[ "${index}" -le 0 ]]; then
        printf 0
    else
        printf %s "${index}"
    fi
}

# positional arguments:
#
# - 1: the current (sub)command's count of positional arguments
#
# required variables:
#
# - repeating_flags: the repeating flags that the current (sub)command can accept
# - non_repeating_flags: the non-repeating flags that the current (sub)command can accept
# - repeating_options: the repeating options that the current (sub)command can accept
# - non_repeating_options: the non-repeating options that the current (sub)command can accept
# - positional_number: value ignored
# - unparsed_words: unparsed words from the current command line
#
# modified variables:
#
# - non_repeating_flags: remove flags for this (sub)command that are already on the command line
# - non_repeating_options: remove options for this (sub)command that are already on the command line
# - positional_number: set to the current positional number
# - unparsed_words: remove all flags, options, and option values for this (sub)command
__exeat_offer_flags_options() {
    local -ir positional_count="${1}"
    positional_number=0

    local was_flag_option_terminator_seen=false
    local is_parsing_option_value=false

    local -ar unparsed_word_indices=("${!unparsed_words[@]}")
    local -i word_index
    for word_index in "${unparsed_word_indices[@]}"; do
        if "${is_parsing_option_value}"; then
            # This word is an option value:
            # Reset marker for next word iff not currently the last word
            [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]] && is_parsing_option_value=false
            unset "unparsed_words[${word_index}]"
            # Do not process this word as a flag or an option
            continue
        fi

        local word="${unparsed_words["${word_index}"]}"
        if ! "${was_flag_option_terminator_seen}"; then
            case "${word}" in
            --)
                unset "unparsed_words[${word_index}]"
                # by itself -- is a flag/option terminator, but if it is the last word, it is the start of a completion
                if [[ "${word_index}" -ne "${unparsed_word_indices[${#unparsed_word_indices[@]} - 1]}" ]]; then
                    was_flag_option_terminator_seen=true
                fi
                continue
                ;;
            -*)
                # ${word} is a flag or an option
                # If ${word} is an option, mark that the next word to be parsed is an option value
                local option
                for option in "${repeating_options[@]}" "${non_repeating_options[@]}"; do
                    [[ "${word}" = "${option}" ]] && is_parsing_option_value=true && break
                done

                # Remove ${word} from ${non_repeating_flags} or ${non_repeating_options} so it isn't offered again
                local not_found=true
                local -i index
                for index in "${!non_repeating_flags[@]}"; do
                    if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                        unset "non_repeating_flags[${index}]"
                        non_repeating_flags=("${non_repeating_flags[@]}")
                        not_found=false
                        break
                    fi
                done
                if "${not_found}"; then
                    for index in "${!non_repeating_flags[@]}"; do
                        if [[ "${non_repeating_flags[${index}]}" = "${word}" ]]; then
                            unset "non_repeating_flags[${index}]"
                            non_repeating_flags=("${non_repeating_flags[@]}")
                            break
                        fi
                    done
                fi
                unset "unparsed_words[${word_index}]"
                continue
                ;;
            esac
        fi

        # ${word} is neither a flag, nor an option, nor an option value
        if [[ "${positional_number}" -lt "${positional_count}" || "${positional_count}" -lt 0 ]]; then
            # ${word} is a positional
            ((positional_number++))
            unset "unparsed_words[${word_index}]"
        else
            if [[ -z "${word}" ]]; then
                # Could be completing a flag, option, or subcommand
                positional_number=-1
            else
                # ${word} is a subcommand or invalid, so stop processing this (sub)command
                positional_number=-2
            fi
            break
        fi
    done

    unparsed_words=("${unparsed_words[@]}")

    if\
        ! "${was_flag_option_terminator_seen}"\
        && ! "${is_parsing_option_value}"\
        && [[ ("${cur}" = -* && "${positional_number}" -ge 0) || "${positional_number}" -eq -1 ]]
    then
        COMPREPLY+=($(compgen -W "${repeating_flags[*]} ${non_repeating_flags[*]} ${repeating_options[*]} ${non_repeating_options[*]}" -- "${cur}"))
    fi
}

__exeat_add_completions() {
    local completion
    while IFS='' read -r completion; do
        COMPREPLY+=("${completion}")
    done < <(IFS=$'\n' compgen "${@}" -- "${cur}")
}

__exeat_custom_complete() {
    if [[ -n "${cur}" || -z ${COMP_WORDS[${COMP_CWORD}]} || "${COMP_LINE:${COMP_POINT}:1}" != ' ' ]]; then
        local -ar words=("${COMP_WORDS[@]}")
    else
        local -ar words=("${COMP_WORDS[@]::${COMP_CWORD}}" '' "${COMP_WORDS[@]:${COMP_CWORD}}")
    fi

    "${COMP_WORDS[0]}" "${@}" "${words[@]}"
}

_exeat() {
    local state
    state="$(shopt -p;shopt -po)"
    trap "${state//$'\n'/;}" RETURN
    shopt -s extglob
    set +o history +o posix

    local -xr SAP_SHELL=bash
    local -x SAP_SHELL_VERSION
    SAP_SHELL_VERSION="$(IFS='.';printf %s "${BASH_VERSINFO[*]}")"
    local -r SAP_SHELL_VERSION

    local -r cur="${2}"
    local -r prev="${3}"

    local -i positional_number
    local -a unparsed_words=("${COMP_WORDS[@]:1:${COMP_CWORD}}")

    local -a repeating_flags=()
    local -a non_repeating_flags=(--version -h --help)
    local -a repeating_options=()
    local -a non_repeating_options=()
    __exeat_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    keys|plan|export|verify|inspect|extract|import|rehearse|attest|report|deadlines|help)
        # Offer subcommand argument completions
        "_exeat_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'keys plan export verify inspect extract import rehearse attest report deadlines help' -- "${cur}"))
        ;;
    esac
}

_exeat_keys() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __exeat_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    new)
        # Offer subcommand argument completions
        "_exeat_keys_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'new' -- "${cur}"))
        ;;
    esac
}

_exeat_keys_new() {
    repeating_flags=()
    non_repeating_flags=(--post-quantum --json --version -h --help)
    repeating_options=(--role)
    non_repeating_options=()
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--role')
        return
        ;;
    esac
}

_exeat_plan() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--rehearsals --progress)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--rehearsals')
        return
        ;;
    '--progress')
        __exeat_add_completions -W 'auto'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    esac
}

_exeat_export() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--output --progress)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--output')
        return
        ;;
    '--progress')
        __exeat_add_completions -W 'auto'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    esac
}

_exeat_verify() {
    repeating_flags=()
    non_repeating_flags=(--require-timestamp --accept-expired --proof-only --json --version -h --help)
    repeating_options=(--trust --tsa-ca --tsa-policy --token --decrypt-with)
    non_repeating_options=(--passphrase-file --dossier --progress)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--trust')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    '--tsa-policy')
        return
        ;;
    '--token')
        return
        ;;
    '--decrypt-with')
        return
        ;;
    '--passphrase-file')
        return
        ;;
    '--dossier')
        return
        ;;
    '--progress')
        __exeat_add_completions -W 'auto'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    esac
}

_exeat_inspect() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=(--decrypt-with)
    non_repeating_options=(--compare --passphrase-file)
    __exeat_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--compare')
        return
        ;;
    '--decrypt-with')
        return
        ;;
    '--passphrase-file')
        return
        ;;
    esac
}

_exeat_extract() {
    repeating_flags=()
    non_repeating_flags=(--unverified --json --version -h --help)
    repeating_options=(--trust --decrypt-with)
    non_repeating_options=(--to --passphrase-file --progress)
    __exeat_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--to')
        return
        ;;
    '--trust')
        return
        ;;
    '--decrypt-with')
        return
        ;;
    '--passphrase-file')
        return
        ;;
    '--progress')
        __exeat_add_completions -W 'auto'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    esac
}

_exeat_import() {
    repeating_flags=()
    non_repeating_flags=(--accept-older --accept-expired --json --version -h --help)
    repeating_options=(--approved-by)
    non_repeating_options=(--work --seen --reason --passphrase-file --progress)
    __exeat_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--work')
        return
        ;;
    '--seen')
        return
        ;;
    '--approved-by')
        return
        ;;
    '--reason')
        return
        ;;
    '--passphrase-file')
        return
        ;;
    '--progress')
        __exeat_add_completions -W 'auto'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    esac
}

_exeat_rehearse() {
    repeating_flags=()
    non_repeating_flags=(--keep --json --version -h --help)
    repeating_options=(--trust --decrypt-with --only)
    non_repeating_options=(--sign-with --objective --time-limit --work --passphrase-file --progress)
    __exeat_offer_flags_options 2

    # Offer option value completions
    case "${prev}" in
    '--trust')
        return
        ;;
    '--decrypt-with')
        return
        ;;
    '--sign-with')
        return
        ;;
    '--objective')
        return
        ;;
    '--time-limit')
        return
        ;;
    '--only')
        return
        ;;
    '--work')
        return
        ;;
    '--passphrase-file')
        return
        ;;
    '--progress')
        __exeat_add_completions -W 'auto'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    esac
}

_exeat_attest() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=()
    __exeat_offer_flags_options 0

    # Offer subcommand / subcommand argument completions
    local -r subcommand="${unparsed_words[0]}"
    unset 'unparsed_words[0]'
    unparsed_words=("${unparsed_words[@]}")
    case "${subcommand}" in
    plan|accept|request-erasure|override|erase|status|timestamp)
        # Offer subcommand argument completions
        "_exeat_attest_${subcommand}"
        ;;
    *)
        # Offer subcommand completions
        COMPREPLY+=($(compgen -W 'plan accept request-erasure override erase status timestamp' -- "${cur}"))
        ;;
    esac
}

_exeat_attest_plan() {
    repeating_flags=()
    non_repeating_flags=(--version -h --help)
    repeating_options=()
    non_repeating_options=(--sign-with --output)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--sign-with')
        return
        ;;
    '--output')
        return
        ;;
    esac
}

_exeat_attest_accept() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=(--trust --tsa-ca --reservation)
    non_repeating_options=(--dossier --sign-with --receipt)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--trust')
        return
        ;;
    '--dossier')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    '--sign-with')
        return
        ;;
    '--receipt')
        return
        ;;
    '--reservation')
        return
        ;;
    esac
}

_exeat_attest_request-erasure() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=(--trust --tsa-ca)
    non_repeating_options=(--dossier --sign-with --scope --formal-notice --not-before)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--trust')
        return
        ;;
    '--dossier')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    '--sign-with')
        return
        ;;
    '--scope')
        return
        ;;
    '--formal-notice')
        return
        ;;
    '--not-before')
        return
        ;;
    esac
}

_exeat_attest_override() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=(--trust --tsa-ca)
    non_repeating_options=(--dossier --sign-with --name --reason)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--trust')
        return
        ;;
    '--dossier')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    '--sign-with')
        return
        ;;
    '--name')
        return
        ;;
    '--reason')
        return
        ;;
    esac
}

_exeat_attest_erase() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=(--trust --tsa-ca --method --medium --key-id)
    non_repeating_options=(--dossier --sign-with --started --completed --formal-notice)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--trust')
        return
        ;;
    '--dossier')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    '--sign-with')
        return
        ;;
    '--method')
        return
        ;;
    '--medium')
        return
        ;;
    '--key-id')
        return
        ;;
    '--started')
        return
        ;;
    '--completed')
        return
        ;;
    '--formal-notice')
        return
        ;;
    esac
}

_exeat_attest_status() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=(--trust --tsa-ca)
    non_repeating_options=(--dossier)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--trust')
        return
        ;;
    '--dossier')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    esac
}

_exeat_attest_timestamp() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=(--token --tsa-ca --tsa-policy)
    non_repeating_options=(--request-to)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--token')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    '--tsa-policy')
        return
        ;;
    '--request-to')
        return
        ;;
    esac
}

_exeat_report() {
    repeating_flags=()
    non_repeating_flags=(--names --json --proof-only --version -h --help)
    repeating_options=(--trust --tsa-ca --token --decrypt-with)
    non_repeating_options=(--lang --passphrase-file --output --dossier --progress)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--lang')
        __exeat_add_completions -W 'fr'$'\n''en'
        return
        ;;
    '--trust')
        return
        ;;
    '--tsa-ca')
        return
        ;;
    '--token')
        return
        ;;
    '--decrypt-with')
        return
        ;;
    '--passphrase-file')
        return
        ;;
    '--output')
        return
        ;;
    '--dossier')
        return
        ;;
    '--progress')
        __exeat_add_completions -W 'auto'$'\n''plain'$'\n''json'$'\n''none'
        return
        ;;
    esac
}

_exeat_deadlines() {
    repeating_flags=()
    non_repeating_flags=(--json --version -h --help)
    repeating_options=()
    non_repeating_options=(--today)
    __exeat_offer_flags_options 1

    # Offer option value completions
    case "${prev}" in
    '--today')
        return
        ;;
    esac
}

_exeat_help() {
    repeating_flags=()
    non_repeating_flags=(--version)
    repeating_options=()
    non_repeating_options=()
    __exeat_offer_flags_options -1
}

complete -o filenames -F _exeat exeat
