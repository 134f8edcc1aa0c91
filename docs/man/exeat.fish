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
            __exeat_parse_subcommand 1 'json' 'progress=' 'version' 'h/help'
        case 'export'
            __exeat_parse_subcommand 1 'output=' 'json' 'progress=' 'version' 'h/help'
        case 'verify'
            __exeat_parse_subcommand 1 'trust=+' 'decrypt-with=+' 'passphrase-file=' 'json' 'progress=' 'version' 'h/help'
        case 'inspect'
            __exeat_parse_subcommand 2 'decrypt-with=+' 'passphrase-file=' 'json' 'version' 'h/help'
        case 'extract'
            __exeat_parse_subcommand 2 'to=' 'trust=+' 'unverified' 'decrypt-with=+' 'passphrase-file=' 'json' 'progress=' 'version' 'h/help'
        case 'import'
            __exeat_parse_subcommand 2 'work=' 'passphrase-file=' 'json' 'progress=' 'version' 'h/help'
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
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat" -eq 1' -fa 'help' -d 'Show subcommand help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_positional "exeat keys" -eq 1' -fa 'new' -d 'Make a signing key pair and an age identity.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new"' -l 'role' -d 'What the key may sign: exporter, importer, controller, eraser. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" post-quantum' -l 'post-quantum' -d 'Make a post-quantum age identity (mlkem768x25519).'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat keys new" h help' -s 'h' -l 'help' -d 'Show help information.'
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
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify"' -l 'decrypt-with' -d 'A file with age identities, encrypted with a passphrase or not. Repeatable.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat verify" h help' -s 'h' -l 'help' -d 'Show help information.'
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
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" passphrase-file' -l 'passphrase-file' -d 'A file with the passphrase of identity files that are encrypted.' -rfka ''
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" json' -l 'json' -d 'Print the result as JSON.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" progress' -l 'progress' -d 'How to show progress on standard error: auto, plain, json, none.' -rfka 'auto plain json none'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" version' -l 'version' -d 'Show the version.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat import" h help' -s 'h' -l 'help' -d 'Show help information.'
complete -c 'exeat' -n '__exeat_should_offer_completions_for_flags_or_options "exeat help" version' -l 'version' -d 'Show the version.'
