function __exeat_should_offer_completions_for_flags_or_options -a expected_commands
    set -l non_repeating_flags_or_options $argv[2..]
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __exeat_parse_tokens
    test "$commands" = "$expected_commands"; and return $non_repeating_flags_or_options_absent
end

function __exeat_should_offer_completions_for_positional -a expected_commands positional_index_comparison expected_positional_index
    set -l non_repeating_flags_or_options
    set -l non_repeating_flags_or_options_absent 0
    set -l positional_index 0
    set -l commands
    __exeat_parse_tokens
    test "$commands" = "$expected_commands" -a \( "$positional_index" "$positional_index_comparison" "$expected_positional_index" \)
end

function __exeat_parse_tokens -S
    set -l unparsed_tokens (__exeat_tokens -pc)
    switch $unparsed_tokens[1]
    case 'exeat'
        __exeat_parse_subcommand 0 'version' 'h/help'
        switch $unparsed_tokens[1]
        case 'keys'
            __exeat_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'new'
                __exeat_parse_subcommand 1 'role=+' 'post-quantum' 'json' 'version' 'h/help'
            end
        case 'plan'
            __exeat_parse_subcommand 1 'rehearsals=' 'json' 'progress=' 'version' 'h/help'
        case 'export'
            __exeat_parse_subcommand 1 'output=' 'json' 'progress=' 'version' 'h/help'
        case 'verify'
            __exeat_parse_subcommand 1 'trust=+' 'tsa-ca=+' 'tsa-policy=+' 'token=+' 'require-timestamp' 'accept-expired' 'decrypt-with=+' 'passphrase-file=' 'dossier=' 'proof-only' 'json' 'progress=' 'version' 'h/help'
        case 'inspect'
            __exeat_parse_subcommand 2 'compare=' 'decrypt-with=+' 'passphrase-file=' 'json' 'version' 'h/help'
        case 'extract'
            __exeat_parse_subcommand 2 'to=' 'trust=+' 'unverified' 'decrypt-with=+' 'passphrase-file=' 'json' 'progress=' 'version' 'h/help'
        case 'import'
            __exeat_parse_subcommand 2 'work=' 'seen=' 'accept-older' 'accept-expired' 'approved-by=+' 'reason=' 'passphrase-file=' 'json' 'progress=' 'version' 'h/help'
        case 'rehearse'
            __exeat_parse_subcommand 2 'trust=+' 'decrypt-with=+' 'sign-with=' 'objective=' 'time-limit=' 'only=+' 'work=' 'keep' 'passphrase-file=' 'json' 'progress=' 'version' 'h/help'
        case 'attest'
            __exeat_parse_subcommand 0 'version' 'h/help'
            switch $unparsed_tokens[1]
            case 'plan'
                __exeat_parse_subcommand 1 'sign-with=' 'output=' 'version' 'h/help'
            case 'accept'
                __exeat_parse_subcommand 1 'trust=+' 'dossier=' 'tsa-ca=+' 'json' 'sign-with=' 'receipt=' 'reservation=+' 'version' 'h/help'
            case 'request-erasure'
                __exeat_parse_subcommand 1 'trust=+' 'dossier=' 'tsa-ca=+' 'json' 'sign-with=' 'scope=' 'formal-notice=' 'not-before=' 'version' 'h/help'
            case 'override'
                __exeat_parse_subcommand 1 'trust=+' 'dossier=' 'tsa-ca=+' 'json' 'sign-with=' 'name=' 'reason=' 'version' 'h/help'
            case 'erase'
                __exeat_parse_subcommand 1 'trust=+' 'dossier=' 'tsa-ca=+' 'json' 'sign-with=' 'method=+' 'medium=+' 'key-id=+' 'started=' 'completed=' 'formal-notice=' 'version' 'h/help'
            case 'status'
                __exeat_parse_subcommand 1 'trust=+' 'dossier=' 'tsa-ca=+' 'json' 'version' 'h/help'
            case 'timestamp'
                __exeat_parse_subcommand 1 'token=+' 'tsa-ca=+' 'tsa-policy=+' 'request-to=' 'json' 'version' 'h/help'
            end
        case 'report'
            __exeat_parse_subcommand 1 'lang=' 'trust=+' 'tsa-ca=+' 'token=+' 'decrypt-with=+' 'passphrase-file=' 'names' 'output=' 'json' 'dossier=' 'proof-only' 'progress=' 'version' 'h/help'
        case 'deadlines'
            __exeat_parse_subcommand 1 'today=' 'json' 'version' 'h/help'
        case 'help'
            __exeat_parse_subcommand -r 1 'version'
        end
    end
end

function __exeat_tokens
    if test (string split -m 1 -f 1 -- . "$FISH_VERSION") -gt 3
        commandline --tokens-raw $argv
    else
        commandline -o $argv
    end
end

function __exeat_parse_subcommand -S -a positional_count
    argparse -s r -- $argv
    set -l option_specs $argv[2..]
    set -l is_repeating_positional $_flag_r
    set -el _flag_r
    set -a commands $unparsed_tokens[1]
    set positional_index 0
    while true
        set -e unparsed_tokens[1]
        argparse -sn "$commands" $option_specs -- $unparsed_tokens 2> /dev/null
        set unparsed_tokens $argv
        set positional_index (math $positional_index + 1)
        for non_repeating_flag_or_option in $non_repeating_flags_or_options
            if set -ql "_flag_$(string replace -a - _ -- $non_repeating_flag_or_option)"
                set non_repeating_flags_or_options_absent 1
                break
            end
        end
        test (count $unparsed_tokens) -eq 0 -o \( -z "$is_repeating_positional" -a "$positional_index" -gt "$positional_count" \) && break
    end
end

function __exeat_complete_directories
    set -l token (commandline -t)
    string match -- '*/' $token
    set -l subdirs $token*/
    printf %s\n $subdirs
end

function __exeat_custom_completion
    set -x SAP_SHELL fish
    set -x SAP_SHELL_VERSION $FISH_VERSION
    set -l tokens (__exeat_tokens -p)
    if test -z "$(__exeat_tokens -t)"
        set -l index (count (__exeat_tokens -pc))
        set tokens $tokens[..$index] \'\' $tokens[(math $index + 1)..]
    end
    command $tokens[1] $argv $tokens
end

complete -c 'exeat' -f
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'keys' -d 'Make keys for sealing, signing and encrypting.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'plan' -d 'Look at the sources of a plan: volumes, risks, omissions, duration.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'export' -d 'Run a plan: pull its sources into a sealed archive.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'verify' -d 'Check an archive: every byte, both signatures, nothing more and nothing less.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'inspect' -d 'Show what an archive says it holds, without verifying it.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'extract' -d 'Decode artifacts to files in their standard formats (tar, JSON Lines, …).'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'import' -d 'Replay an archive on targets, re-read them, and sign a receipt.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'rehearse' -d 'Restore an archive in throw-away targets, probe it, time it, sign the result.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'attest' -d 'Sign the next document of an archive\'s dossier.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'report' -d 'Write the dossier of an archive as one HTML file, in French or English.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'deadlines' -d 'Reckon the dates that law and contract set for a plan.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat keys" -eq 1' -fa 'new' -d 'Make a signing key pair and an age identity.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new"' -l 'role' -d 'What the key may sign: exporter, importer, controller, eraser. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" post-quantum' -l 'post-quantum' -d 'Make a post-quantum age identity (mlkem768x25519).'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat plan" rehearsals' -l 'rehearsals' -d 'The folder of past rehearsals, which tell how long a restore takes.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat plan" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat plan" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat plan" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat plan" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat export" output' -l 'output' -d 'A directory, a file ending in .tar, or - for standard output.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat export" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat export" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat export" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat export" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify"' -l 'trust' -d 'A trust file: who may seal. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify"' -l 'tsa-policy' -d 'A policy that time-stamps may be made under, such as 1.2.3.4. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify"' -l 'token' -d 'A time-stamp that came by another way than the archive. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" require-timestamp' -l 'require-timestamp' -d 'Fail unless trusted time-stamps open and close the archive.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" accept-expired' -l 'accept-expired' -d 'Accept an archive that was to be restored before now.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify"' -l 'decrypt-with' -d 'A file with age identities, encrypted with a passphrase or not. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" dossier' -l 'dossier' -d 'A folder with documents about the archive, besides its proof/.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" proof-only' -l 'proof-only' -d 'Be content with a copy of the proof alone, whose data cannot be checked.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat inspect" compare' -l 'compare' -d 'Compare the facts about machines with those of another archive.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat inspect"' -l 'decrypt-with' -d 'A file with age identities, encrypted with a passphrase or not. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat inspect" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat inspect" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat inspect" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat inspect" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract" to' -l 'to' -d 'A directory that is empty or does not exist yet.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract"' -l 'trust' -d 'A trust file: who may seal. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract" unverified' -l 'unverified' -d 'Do not verify; what comes out may be forged.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract"' -l 'decrypt-with' -d 'A file with age identities, encrypted with a passphrase or not. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat extract" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" work' -l 'work' -d 'Where state and receipt are kept (default: ./NAME.import).' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" seen' -l 'seen' -d 'Where it is remembered which archives were imported.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" accept-older' -l 'accept-older' -d 'Accept an archive although a newer one of its series was imported.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" accept-expired' -l 'accept-expired' -d 'Accept an archive that was to be restored before now.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import"' -l 'approved-by' -d 'Who accepts it; two different people. They stand in the receipt.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" reason' -l 'reason' -d 'Why it is accepted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse"' -l 'trust' -d 'A trust file: who may seal. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse"' -l 'decrypt-with' -d 'A file with age identities, encrypted with a passphrase or not. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" sign-with' -l 'sign-with' -d 'The stem of the keys that sign the receipt.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" objective' -l 'objective' -d 'Within what time all must be restored and checked, such as 4h (the default).' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" time-limit' -l 'time-limit' -d 'A time after which the rehearsal stops, such as 6h.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse"' -l 'only' -d 'Rehearse this source alone. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" work' -l 'work' -d 'Where targets, receipts and the history are kept (default: ./NAME.rehearsals).' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" keep' -l 'keep' -d 'Leave the targets as they are, servers and machines running.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat rehearse" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat attest" -eq 1' -fa 'plan' -d 'The customer agrees to a plan, before anything leaves.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat attest" -eq 1' -fa 'accept' -d 'The customer has integrated the data and can use it.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat attest" -eq 1' -fa 'request-erasure' -d 'The customer asks that the source be erased.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat attest" -eq 1' -fa 'override' -d 'One of two people approves an erasure that the lock does not allow yet.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat attest" -eq 1' -fa 'erase' -d 'Certify that the source was erased.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat attest" -eq 1' -fa 'status' -d 'Show documents, dates and the lock of the erasure.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat attest" -eq 1' -fa 'timestamp' -d 'Add time-stamps that an authority gave after the run, or write requests for them.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest plan" sign-with' -l 'sign-with' -d 'The stem given to exeat keys new, such as keys/hospital.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest plan" output' -l 'output' -d 'Where to write; run.agreement of the plan unless given.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest plan" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest plan" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept"' -l 'trust' -d 'A trust file: who may sign what. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept" dossier' -l 'dossier' -d 'A folder with documents, where new ones are written, too.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept" sign-with' -l 'sign-with' -d 'The stem given to exeat keys new, such as keys/hospital.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept" receipt' -l 'receipt' -d 'The number of the receipt that is accepted; the last one unless given.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept"' -l 'reservation' -d 'What is accepted with a reservation; no names of people. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest accept" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure"' -l 'trust' -d 'A trust file: who may sign what. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" dossier' -l 'dossier' -d 'A folder with documents, where new ones are written, too.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" sign-with' -l 'sign-with' -d 'The stem given to exeat keys new, such as keys/hospital.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" scope' -l 'scope' -d 'What is to be erased.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" formal-notice' -l 'formal-notice' -d 'The day on which the source gave formal notice.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" not-before' -l 'not-before' -d 'A later day that was agreed.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest request-erasure" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override"' -l 'trust' -d 'A trust file: who may sign what. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override" dossier' -l 'dossier' -d 'A folder with documents, where new ones are written, too.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override" sign-with' -l 'sign-with' -d 'The stem given to exeat keys new, such as keys/hospital.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override" name' -l 'name' -d 'The name of the person who approves.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override" reason' -l 'reason' -d 'Why the lock is overridden.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest override" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase"' -l 'trust' -d 'A trust file: who may sign what. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" dossier' -l 'dossier' -d 'A folder with documents, where new ones are written, too.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" sign-with' -l 'sign-with' -d 'The stem given to exeat keys new, such as keys/hospital.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase"' -l 'method' -d 'overwrite, key-destruction, physical-destruction, secure-recycling. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase"' -l 'medium' -d 'A medium that was erased: serial number, volume. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase"' -l 'key-id' -d 'A key that was destroyed. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" started' -l 'started' -d 'When it began, such as 2027-04-02T08:00:00Z; now unless given.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" completed' -l 'completed' -d 'When it ended; now unless given.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" formal-notice' -l 'formal-notice' -d 'The day on which the formal notice was given.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest erase" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest status"' -l 'trust' -d 'A trust file: who may sign what. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest status" dossier' -l 'dossier' -d 'A folder with documents, where new ones are written, too.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest status"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest status" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest status" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest status" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest timestamp"' -l 'token' -d 'A file with a time-stamp (.tsr). Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest timestamp"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest timestamp"' -l 'tsa-policy' -d 'A policy that time-stamps may be made under; with --request-to the one to ask for.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest timestamp" request-to' -l 'request-to' -d 'Write the requests for both time-stamps to this directory.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest timestamp" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest timestamp" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat attest timestamp" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" lang' -l 'lang' -d 'The language of the report: fr or en.' -rfka 'fr en'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report"' -l 'trust' -d 'A trust file: who may sign. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report"' -l 'tsa-ca' -d 'A PEM file with the root of a time-stamping authority to believe. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report"' -l 'token' -d 'A time-stamp that came by another way than the archive. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report"' -l 'decrypt-with' -d 'A file with age identities, encrypted with a passphrase or not. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" names' -l 'names' -d 'Show the real names of objects, where the plan allowed it.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" output' -l 'output' -d 'The file to write; without it the report goes to standard output.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" json' -l 'json' -d 'Print the report as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" dossier' -l 'dossier' -d 'A folder with documents about the archive, besides its proof/.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" proof-only' -l 'proof-only' -d 'In place of a report, copy the archive without data/ to --output.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat report" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat deadlines" today' -l 'today' -d 'The day to judge by; the present one unless given.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat deadlines" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat deadlines" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat deadlines" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat help" version' -l 'version' -d 'Show the version.'
