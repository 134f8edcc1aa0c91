import Basics

/// The documents that hospitals file: a page each, from the signed statements.
extension HTMLReport {
    var records: HTML {
        HTML(
            joining: model.chain.map { link in
                link.state == .missing ? missing(link) : record(link)
            })
    }

    private func record(_ link: ChainLink) -> HTML {
        switch link.kind {
        case .plan: return page(link, .recordPlan, .recordPlanText, .empty)
        case .override:
            return page(link, .recordOverride, .recordOverrideText, statement(link))
        case .seal:
            return page(link, .recordRestitution, .recordRestitutionText, restitution)
        case .receipt:
            guard let receipt = model.receipts.first(where: { $0.file == link.file }) else {
                return .empty
            }
            return page(
                link, .recordIntegration, .recordIntegrationText, integration(receipt))
        // A rehearsal has a page of its own.
        case .rehearsal: return .empty
        case .acceptance:
            return page(link, .recordAcceptance, .recordAcceptanceText, statement(link))
        case .erasureRequest:
            return page(link, .recordErasureRequest, .recordErasureRequestText, statement(link))
        case .erasure:
            return page(link, .recordDestruction, .recordDestructionText, statement(link))
        }
    }

    private func missing(_ link: ChainLink) -> HTML {
        let title: Phrase =
            switch link.kind {
            case .plan: .recordPlan
            case .override: .recordOverride
            case .seal: .recordRestitution
            case .receipt: .recordIntegration
            case .rehearsal: .recordRehearsal
            case .acceptance: .recordAcceptance
            case .erasureRequest: .recordErasureRequest
            case .erasure: .recordDestruction
            }
        return element(.article, .class("record missing")) {
            element(.h3) { texts[title] }
            element(.p) {
                state(.none, .dash, texts[.recordMissing])
            }
            note(.recordMissingText)
        }
    }

    func page(
        _ link: ChainLink, _ title: Phrase, _ text: Phrase, _ content: HTML
    ) -> HTML {
        let archive = model.archive
        return element(.article, .class("record"), .id("record-" + (link.file ?? "seal"))) {
            element(.h3) { texts[title] }
            element(.p) { texts[text] }
            facts([
                (.provider, archive.provider.map { HTML.name($0) } ?? .empty),
                (.customer, archive.customer.map { HTML.name($0) } ?? .empty),
                (.contract, archive.contract.map { HTML.name($0) } ?? .empty),
                (.pageOf, archive.name.map { HTML.name($0) } ?? .empty),
                (.identifier, archive.bag.map { HTML.code($0) } ?? .empty),
                (.recordDate, moment(link.at, seconds: true)),
            ])
            content
            facts([
                (.recordFile, link.file.map { HTML.code("proof/" + $0) } ?? .empty),
                (.recordDigest, link.sha256.map { HTML.code($0) } ?? .empty),
                (.recordSigner, signer(link)),
                (.recordSignature, signature(link)),
            ])
            element(.p, .class("note")) { texts[.recordCountersign] }
            element(.div, .class("sign")) {
                element(.div) { texts[.forProvider] }
                element(.div) { texts[.forCustomer] }
            }
        }
    }

    private func signer(_ link: ChainLink) -> HTML {
        guard let signer = link.signer else { return .empty }
        return HTML(joining: [
            HTML.name(signer.principal), HTML(" – "), HTML.code(signer.ed25519),
        ])
    }

    private func signature(_ link: ChainLink) -> HTML {
        switch link.state {
        case .verified: state(.good, .check, texts[.signatureBoth])
        case .unchecked: state(.warn, .question, texts[.signatureUnknown])
        case .failed: state(.bad, .cross, texts[.signatureBad])
        case .missing: .empty
        }
    }

    private var restitution: HTML {
        var lines: [(term: Phrase, value: HTML)] = []
        if let outcome = model.outcome {
            lines.append(
                (
                    .factObjects,
                    HTML(joining: [
                        HTML(formats.number(outcome.exported) + " "),
                        texts.html(.factObjectsNote, .number(outcome.expected)),
                    ])
                ))
            lines.append(
                (
                    .factOmissions,
                    HTML(joining: [
                        HTML(formats.number(outcome.omitted) + " – "),
                        outcome.omitted == 0
                            ? texts.html(.factOmissionsNone)
                            : outcome.open == 0
                                ? texts.html(.factOmissionsCovered)
                                : texts.html(.factOmissionsOpen, .number(outcome.open)),
                    ])
                ))
        }
        lines.append(
            (
                .recordVolume,
                HTML(joining: [
                    HTML(formats.size(model.archive.bytes) + " "),
                    texts.html(.factVolumeStored, .number(model.archive.files)),
                ])
            ))
        lines.append((.factSources, sourceList(model.sources.map { ($0.label, $0.kind) })))
        return facts(lines)
    }

    private func sourceList(_ sources: [(label: String, kind: String)]) -> HTML {
        var pieces: [HTML] = []
        for source in sources.prefix(40) {
            if !pieces.isEmpty { pieces.append(HTML(", ")) }
            pieces += [
                HTML.name(source.label), HTML(" ("), word(source.kind), HTML(")"),
            ]
        }
        if sources.count > 40 { pieces.append(HTML(" …")) }
        return HTML(joining: pieces)
    }

    private func integration(_ receipt: ReceiptFacts) -> HTML {
        HTML(joining: [
            facts([
                (.recordOutcome, outcome(receipt)),
                (.recordVerify, HTML(texts[verify(receipt.verify)])),
                (
                    .recordDuration,
                    receipt.milliseconds.map { HTML(formats.duration(milliseconds: $0)) } ?? .empty
                ),
                (.recordDurations, durations(receipt)),
                (
                    .recordReservations,
                    receipt.reservations.isEmpty
                        ? HTML(texts[.recordNoReservations])
                        : element(.ul) {
                            for text in receipt.reservations.prefix(30) {
                                element(.li) { reservation(text) }
                            }
                        }
                ),
            ]),
            table(
                texts[.sourcesCaption], id: "record-\(receipt.number)-sources",
                [
                    .text(.columnSource), .text(.columnKind), .text(.columnTarget),
                    .number(.columnMapped), .text(.sourceCounts), .text(.columnCompared),
                ]
            ) {
                for source in receipt.sources {
                    element(.tr) {
                        head { HTML.name(label(of: source.folder)) }
                        cell { word(source.kind) }
                        cell { source.target.map { word($0) } ?? HTML("–") }
                        numberCell(formats.number(source.mappings))
                        cell { counts(source.counts) }
                        cell { comparison(source.imported) }
                    }
                }
            },
        ])
    }

    private func durations(_ receipt: ReceiptFacts) -> HTML {
        var pieces: [HTML] = []
        for duration in receipt.durations where duration.name != "total" {
            if !pieces.isEmpty { pieces.append(HTML(" · ")) }
            pieces += [
                word(duration.name),
                HTML(texts.colon + formats.duration(milliseconds: duration.value)),
            ]
        }
        return HTML(joining: pieces)
    }

    func label(of folder: String) -> String {
        model.sources.first { $0.folder == folder }?.label ?? folder
    }

    private func comparison(_ imported: SourceFacts.Import) -> HTML {
        if !imported.isEqual { return state(.bad, .cross, texts[.comparedDifferent]) }
        if imported.comparisons.isEmpty { return state(.warn, .question, texts[.comparedNot]) }
        if imported.notSet > 0 {
            return state(
                .warn, .exclamation, texts.text(.comparedPart, .number(imported.notSet)))
        }
        return state(.good, .check, texts[.comparedEqual])
    }

    private func outcome(_ receipt: ReceiptFacts) -> HTML {
        let isUnequal = receipt.sources.contains { !$0.imported.isEqual }
        if receipt.different > 0 {
            return state(
                .bad, .cross, texts.text(.outcomeDifferent, .number(receipt.different)))
        }
        if isUnequal || receipt.status == 3 {
            return state(.bad, .cross, texts[.outcomeUnequal])
        }
        if receipt.notSet > 0 {
            return state(
                .warn, .exclamation, texts.text(.outcomeEqualPart, .number(receipt.notSet)))
        }
        return receipt.verify == "none"
            ? state(.warn, .question, texts[.comparedNot])
            : state(.good, .check, texts[.outcomeEqual])
    }

    private func verify(_ method: String) -> Phrase {
        switch method {
        case "digest": .verifyDigest
        case "counts": .verifyCounts
        default: .verifyNone
        }
    }
}
