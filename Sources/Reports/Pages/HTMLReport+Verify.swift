import Basics

/// How to check without us, what no tool can prove, and the annex.
extension HTMLReport {
    var instructions: HTML {
        guard !model.instructions.isEmpty else { return note(.instructionsNone) }
        return HTML(joining: [
            element(.p) { texts[.instructionsText] },
            element(.ol, .class("steps")) {
                for step in model.instructions {
                    element(.li) {
                        element(.p) { title(of: step) }
                        element(.pre, .lang("en"), .direction("ltr"), .class("commands")) {
                            element(.code) { step.commands + "\n" }
                        }
                    }
                }
            },
        ])
    }

    private func title(of step: Instruction) -> HTML {
        guard let number = step.number else { return HTML(texts[.stepPreparation]) }
        let known: [Int: Phrase] = [
            1: .step1, 2: .step2, 3: .step3, 4: .step4, 5: .step5, 6: .step6, 7: .step7, 8: .step8,
            9: .step9,
        ]
        // The English text stands in the script itself: what it says is what was translated.
        if let phrase = known[number], Self.english[phrase] == step.text {
            return HTML(texts[phrase])
        }
        return element(.span, .lang("en")) { step.text }
    }

    private static let english = Texts.english.merging(Texts.englishDetails) { first, _ in first }
        .mapValues { $0.replacing("’", with: "'") }

    var limits: HTML {
        element(.div, .class("box")) {
            element(.p) { texts[.limitsText] }
            element(.ul) {
                for limit in [
                    Phrase.limitCatalogue, .limitErasure, .limitClock, .limitSource, .limitKey,
                    .limitAfter,
                ] {
                    element(.li) { texts[limit] }
                }
            }
        }
    }

    var annex: HTML { HTML(joining: [keys, digests, checks, problems]) }

    private var keys: HTML {
        let links = model.chain.filter { $0.signer != nil }
        guard !links.isEmpty else { return .empty }
        return table(
            texts[.keysCaption], id: "keys",
            [
                .text(.columnRole), .text(.columnPrincipal), .text(.columnFingerprint),
                .text(.columnTrusted),
            ]
        ) {
            for link in unique(links) {
                element(.tr) {
                    head { texts[role(link)] }
                    cell { HTML.name(link.signer?.principal ?? "") }
                    HTML(
                        .td, [.class("digest")],
                        HTML(joining: [
                            element(.div) { HTML.code(link.signer?.ed25519 ?? "") },
                            element(.div) { HTML.code(link.signer?.mldsa65 ?? "") },
                        ]))
                    cell {
                        link.signer?.isTrusted ?? false
                            ? state(.good, .check, texts[.yes])
                            : state(.warn, .question, texts[.no])
                    }
                }
            }
        }
    }

    /// Each role of each signer once.
    private func unique(_ links: [ChainLink]) -> [ChainLink] {
        var seen: Set<String> = []
        return links.filter {
            seen.insert(
                "\($0.kind.rawValue) \($0.signer?.ed25519 ?? "") \($0.signer?.isTrusted ?? false)"
            )
            .inserted
        }
    }

    private func role(_ link: ChainLink) -> Phrase {
        switch link.kind {
        case .seal: .roleExporter
        case .receipt, .rehearsal: .roleImporter
        case .plan, .acceptance, .erasureRequest: .roleController
        case .override: .roleOverride
        case .erasure: .roleEraser
        }
    }

    private var digests: HTML {
        let archive = model.archive
        let lines: [(Phrase, String?)] = [
            (.digestSeal, archive.sealSHA256), (.digestTags, archive.subjectSHA256),
            (.digestHead, archive.journal?.head), (.digestRoot, archive.journal?.root),
            (.digestPlan, archive.planSHA256),
        ]
        guard lines.contains(where: { $0.1 != nil }) else { return .empty }
        return element(.div) {
            element(.h3) { texts[.digestsCaption] }
            facts(
                lines.map { ($0.0, $0.1.map { HTML.code($0) } ?? .empty) } + [
                    (
                        .digestJournalLines,
                        archive.journal.map { HTML(formats.number($0.entries)) } ?? .empty
                    )
                ])
        }
    }

    private var checks: HTML {
        guard !model.checks.isEmpty else { return .empty }
        return table(
            texts[.checksCaption], id: "checks", [.text(.columnCheck), .text(.columnResult)]
        ) {
            for check in model.checks {
                element(.tr) {
                    head { subject(check.name) }
                    cell {
                        outcome(check.outcome)
                        if let detail = check.detail {
                            " "
                            subject(detail)
                        }
                    }
                }
            }
        }
    }

    /// A check of ours, or the file or the signer that it was about.
    private func subject(_ text: String) -> HTML {
        texts.names(text) || text.contains(" ") ? word(text) : HTML.name(text)
    }

    private func outcome(_ outcome: String) -> HTML {
        switch outcome {
        case "passed": state(.good, .check, texts[.checkPassed])
        case "failed": state(.bad, .cross, texts[.checkFailed])
        case "absent": state(.none, .dash, texts[.checkAbsent])
        default: state(.warn, .question, texts[.checkUnchecked])
        }
    }

    private var problems: HTML {
        guard !model.problems.isEmpty else { return .empty }
        return HTML(joining: [
            table(
                texts[.problemsCaption], id: "problems",
                [.text(.columnPath), .text(.columnCode), .text(.columnWhat)]
            ) {
                for problem in model.problems {
                    element(.tr) {
                        head { HTML.code(problem.path.isEmpty ? "–" : problem.path) }
                        cell { HTML.name("\(problem.code) \(problem.word)") }
                        cell { told(problem.word, problem.what) }
                    }
                }
            },
            model.problemCount > model.problems.count
                ? note(
                    .problemsMore, .number(Int64(model.problemCount)),
                    .number(Int64(model.problems.count))) : .empty,
        ])
    }
}
