import Basics

/// The first screen: verdict, figures, chain of documents.
extension HTMLReport {
    var summary: HTML {
        HTML(joining: [verdict, notice, figures, chain])
    }

    private var verdict: HTML {
        let (tone, icon, word, text): (Tone, Drawing.Icon, Phrase, HTML)
        switch model.verdict.word {
        case .conforming:
            (tone, icon, word) = (.good, .check, .verdictConforming)
            text = texts.html(.verdictConformingText)
        case .reservations:
            (tone, icon, word) = (.warn, .exclamation, .verdictReservations)
            text = texts.html(.verdictReservationsText)
        case .unverified:
            (tone, icon, word) = (.warn, .question, .verdictUnverified)
            text = texts.html(.verdictUnverifiedText)
        case .failed:
            (tone, icon, word) = (.bad, .cross, .verdictFailed)
            let failure = model.verdict.failure
            let isComparison = failure?.code == .comparisonFailed
            text = HTML(joining: [
                texts.html(
                    isComparison ? .verdictDifferentText : .verdictFailedText,
                    .name(failure?.code.word ?? ""), .name("\(failure?.code.rawValue ?? 0)")),
                isComparison ? .empty : HTML(" "),
                isComparison ? .empty : told(failure?.code.word ?? "", failure?.what ?? ""),
            ])
        }
        return element(.div, .class("verdict \(tone.rawValue)"), .role("group")) {
            Drawing.icon(icon)
            element(.div) {
                element(.h2, .class("word")) { texts[word] }
                element(.p) { text }
                if !model.verdict.reasons.isEmpty {
                    element(.ul) {
                        for reason in model.verdict.reasons.prefix(Self.mostReasons) {
                            element(.li) { texts.html(reason) }
                        }
                    }
                    moreReasons
                }
            }
        }
    }

    private static let mostReasons = 5

    /// The first screen has room for some; paper shows all.
    private var moreReasons: HTML {
        let more = model.verdict.reasons.dropFirst(Self.mostReasons)
        guard !more.isEmpty else { return .empty }
        return element(.details) {
            element(.summary) { texts.html(.reasonsMore, .number(Int64(more.count))) }
            element(.ul) {
                for reason in more { element(.li) { texts.html(reason) } }
            }
        }
    }

    private var notice: HTML {
        switch model.verdict.word {
        case .failed where model.verdict.failure?.code != .comparisonFailed:
            element(.p, .class("notice bad")) {
                texts[model.archive.sealSHA256 == nil ? .nothingReadable : .claimNotice]
            }
        case .unverified: element(.p, .class("notice warn")) { texts[.unverifiedNotice] }
        default: .empty
        }
    }

    private var figures: HTML {
        element(.ul, .class("figures")) {
            if let outcome = model.outcome {
                figure(
                    .factObjects, formats.number(outcome.exported),
                    texts.html(.factObjectsNote, .number(outcome.expected)))
                figure(
                    .factOmissions, formats.number(outcome.omitted),
                    outcome.omitted == 0
                        ? texts.html(.factOmissionsNone)
                        : outcome.open == 0
                            ? texts.html(.factOmissionsCovered)
                            : texts.html(.factOmissionsOpen, .number(outcome.open)))
            }
            if let run = model.run {
                figure(
                    .factVolume, formats.size(run.plainBytes),
                    texts.html(.factVolumeNote, .bytes(model.archive.bytes)))
                figure(
                    .factDuration, formats.duration(milliseconds: run.milliseconds),
                    run.meanRate.map { texts.html(.factDurationNote, .rate($0)) } ?? .empty)
            } else if model.archive.sealSHA256 != nil {
                figure(
                    .factVolume, formats.size(model.archive.bytes),
                    texts.html(.factVolumeStored, .number(model.archive.files)))
            }
            if !model.sources.isEmpty { compared }
        }
    }

    private var compared: HTML {
        let imported = model.sources.filter { !$0.imports.isEmpty }
        let equal = imported.filter { $0.imports.last?.isEqual ?? false }
        let total = model.sources.count
        return figure(
            .factCompared,
            "\(formats.number(Int64(equal.count)))\u{a0}/\u{a0}\(formats.number(Int64(total)))",
            imported.isEmpty
                ? texts.html(.factComparedNone)
                : equal.count == total
                    ? texts.html(.factComparedNote)
                    : texts.html(
                        .factComparedPart, .number(Int64(equal.count)),
                        .number(Int64(imported.count))))
    }

    private func figure(_ term: Phrase, _ value: String, _ note: HTML) -> HTML {
        element(.li, .class("figure")) {
            element(.span, .class("term")) { texts[term] }
            HTML(.strong, [.class("big")], HTML(value))
            element(.span, .class("small")) { note }
        }
    }

    private var chain: HTML {
        element(.div) {
            element(.h3) { texts[.chainTitle] }
            element(.ol, .class("chain")) {
                for link in shownLinks {
                    element(.li, .class(tone(link.state).rawValue + " " + link.state.rawValue)) {
                        element(.strong) { texts[name(link)] }
                        element(.span) { texts[record(link)] }
                        state(link.state)
                        if let at = link.at {
                            element(.span) { day(model.days(at)) }
                        }
                        if let signer = link.signer {
                            element(.span) { texts.html(.signedBy, .name(signer.principal)) }
                        }
                    }
                }
            }
        }
    }

    /// Of many imports and rehearsals the first screen shows the latest of each.
    private var shownLinks: [ChainLink] {
        let latest = [ChainLink.Kind.receipt, .rehearsal].compactMap { kind in
            model.chain.last { $0.kind == kind }?.file
        }
        return model.chain.filter { link in
            guard link.kind == .receipt || link.kind == .rehearsal, let file = link.file else {
                return true
            }
            return latest.contains(file)
        }
    }

    func tone(_ state: ChainLink.State) -> Tone {
        switch state {
        case .verified: .good
        case .unchecked: .warn
        case .failed: .bad
        case .missing: .none
        }
    }

    func name(_ link: ChainLink) -> Phrase {
        switch link.kind {
        case .plan: .linkPlan
        case .override: .linkOverride
        case .seal: .linkSeal
        case .receipt: .linkReceipt
        case .rehearsal: .linkRehearsal
        case .acceptance: .linkAcceptance
        case .erasureRequest: .linkErasureRequest
        case .erasure: .linkErasure
        }
    }

    private func record(_ link: ChainLink) -> Phrase {
        switch link.kind {
        case .plan: .linkPlanRecord
        case .override: .linkOverrideRecord
        case .seal: .linkSealRecord
        case .receipt: .linkReceiptRecord
        case .rehearsal: .linkRehearsalRecord
        case .acceptance: .linkAcceptanceRecord
        case .erasureRequest: .linkErasureRequestRecord
        case .erasure: .linkErasureRecord
        }
    }
}
