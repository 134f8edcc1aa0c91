import Basics
import Deadlines

/// Parties, contract, and dates against deadlines.
extension HTMLReport {
    var parties: HTML {
        let archive = model.archive
        let unknown = archive.partiesAreSealed ? texts[.underSeal] : texts[.notStated]
        func party(_ text: String?) -> HTML {
            text.map { HTML.name($0) } ?? element(.span, .class("none")) { unknown }
        }
        return HTML(joining: [
            facts([
                (.purpose, purpose),
                (.provider, party(archive.provider)),
                (.customer, party(archive.customer)),
                (.contract, party(archive.contract)),
                (.identifier, archive.bag.map { HTML.code($0) } ?? .empty),
                (.openedAt, moment(archive.openedAt, seconds: true)),
                (.sealedAt, moment(archive.sealedAt, seconds: true)),
                (.sealedBy, archive.signer.map { HTML.name($0.principal) } ?? .empty),
                (.timestamps, stamps),
                (
                    .encryption,
                    HTML(texts[archive.isEncrypted ? .encryptionYes : .encryptionNo])
                ),
                (.form, HTML(texts[archive.isProofOnly ? .formProof : .formWhole])),
            ]),
            note(model.withNames ? .namesShown : .namesHidden),
        ])
    }

    private var purpose: HTML {
        switch model.archive.purpose {
        case "end-of-contract": HTML(texts[.purposeEndOfContract])
        case "drp-rehearsal": HTML(texts[.purposeRehearsal])
        case "migration": HTML(texts[.purposeMigration])
        case "trial": HTML(texts[.purposeTrial])
        default: HTML.name(model.archive.purpose)
        }
    }

    private var stamps: HTML {
        let stamps = model.archive.stamps
        guard !stamps.isEmpty else { return state(.none, .dash, texts[.stampMissing]) }
        return HTML(
            joining: stamps.map { stamp in
                element(.div) {
                    state(
                        stamp.isTrusted ? .good : .warn, stamp.isTrusted ? .check : .question,
                        texts.text(
                            stamp.isOpening ? .stampOpening : .stampClosing, .moment(stamp.moment)))
                    " – "
                    HTML.name(stamp.authority)
                    if !stamp.isTrusted {
                        " – "
                        texts[.stampUnchecked]
                    }
                }
            })
    }

    var dates: HTML {
        guard !model.dates.isEmpty else { return .empty }
        let scale = DateScale(model.dates, today: model.days(model.madeAt))
        let hasLimits = model.dates.contains { $0.rule != nil }
        return HTML(joining: [
            element(.figure) {
                element(.figcaption) { texts[.datesCaption] }
                element(.ul, .class("legend")) {
                    legend("event", .legendEvent)
                    if model.dates.contains(where: { $0.actual ?? "" > scale.today }) {
                        legend("event planned", .legendPlanned)
                    }
                    if hasLimits { legend("limit", .legendLimit) }
                    legend("today", .legendToday)
                }
                element(.ol, .class("rows")) {
                    for date in model.dates where date.actual != nil || date.limit != nil {
                        row(date, scale)
                    }
                    element(.li, .class("scale"), .hidden) {
                        element(.span, .class("what"))
                        element(.span, .class("axis strip-cell")) {
                            element(.span, .left(0)) { formats.day(scale.first) }
                            if scale.last != scale.first {
                                element(.span, .left(100)) { formats.day(scale.last) }
                            }
                        }
                        element(.span, .class("value"))
                    }
                }
            },
            hasLimits ? deadlines : note(model.isReckoned ? .datesNoPlan : .datesNotReckoned),
            conflicts, lock,
        ])
    }

    private func legend(_ mark: String, _ phrase: Phrase) -> HTML {
        element(.li) {
            Drawing.mark(mark)
            texts[phrase]
        }
    }

    private func row(_ date: DossierDate, _ scale: DateScale) -> HTML {
        element(.li) {
            element(.span, .class("what")) { label(date) }
            element(.span, .class("track strip-cell"), .hidden) {
                HTML(.i, [.class("today"), .left(scale.place(scale.today))], .empty)
                if let limit = date.limit {
                    HTML(
                        .i,
                        [
                            .class("limit" + (date.state == .missed ? " missed" : "")),
                            .left(scale.place(limit)),
                        ], .empty)
                }
                if let actual = date.actual {
                    HTML(
                        .i,
                        [
                            .class("event" + (actual > scale.today ? " planned" : "")),
                            .left(scale.place(actual)),
                        ], .empty)
                }
            }
            element(.span, .class("value")) {
                if let actual = date.actual {
                    day(actual)
                } else if let limit = date.limit {
                    texts.html(date.isEarliest ? .notBefore : .notAfter, .day(limit))
                }
            }
        }
    }

    private func label(_ date: DossierDate) -> HTML {
        switch date.label {
        case .sentence(let sentence): texts.html(sentence)
        case .texts(let french, let english):
            HTML.name(texts.text(LocalText(fr: french, en: english)))
        }
    }

    private var deadlines: HTML {
        HTML(joining: [
            table(
                texts[.deadlinesCaption], id: "deadlines",
                [
                    .text(.dateWhat), .text(.dateRule), .text(.dateWhen), .text(.dateLimit),
                    .text(.dateState),
                ]
            ) {
                for date in model.dates where date.rule != nil {
                    element(.tr) {
                        head { label(date) }
                        cell { date.clause.map { texts.html(.local($0)) } ?? .empty }
                        cell { date.actual.map { day($0) } ?? HTML("–") }
                        cell {
                            if let limit = date.limit {
                                texts.html(date.isEarliest ? .notBefore : .notAfter, .day(limit))
                            } else {
                                "–"
                            }
                        }
                        cell { state(date.state) }
                    }
                }
            },
            note(.datesNote, .name(model.days.calendar?.timeZone ?? "UTC")),
        ])
    }

    func state(_ state: DossierDate.State) -> HTML {
        switch state {
        case .met: self.state(.good, .check, texts[.metState])
        case .missed: self.state(.bad, .cross, texts[.missedState])
        case .open: self.state(.warn, .clock, texts[.openState])
        case .unknown: self.state(.none, .question, texts[.unknownState])
        case .replaced, .notApplicable: self.state(.none, .dash, texts[.replacedState])
        case .event: self.state(.none, .check, texts[.eventState])
        }
    }

    /// Whether the source may be erased, and what stands against it.
    private var lock: HTML {
        guard let lock = model.lock,
            !model.chain.contains(where: { $0.kind == .erasure && $0.file != nil })
        else { return .empty }
        return element(.div) {
            element(.h3) { texts[.lockTitle] }
            element(.p) {
                lock.isOpen
                    ? state(.good, .check, texts[.lockOpen])
                    : lock.isOverridden
                        ? state(.warn, .exclamation, texts[.lockOverridden])
                        : state(.none, .clock, texts[.lockClosed])
                if let notBefore = lock.notBefore {
                    " "
                    lock.clause.map {
                        texts.html(.lockNotBefore, .moment(notBefore), .local($0))
                    } ?? texts.html(.lockNotBeforeAgreed, .moment(notBefore))
                }
            }
            if !lock.reasons.isEmpty {
                element(.ul) {
                    for reason in lock.reasons { element(.li) { word(reason) } }
                }
            }
            for approval in lock.approvals {
                element(.p) {
                    texts.html(
                        .lockApproval, .name(approval.name), .name(approval.principal),
                        .name(approval.reason))
                }
            }
        }
    }

    private var conflicts: HTML {
        guard !model.conflicts.isEmpty else { return .empty }
        return element(.div) {
            element(.h3) { texts[.conflictsTitle] }
            element(.ul) {
                for sentence in conflictSentences { element(.li) { texts.html(sentence) } }
            }
        }
    }
}

extension HTMLReport {
    /// Each once: several rules of one clause may say the same.
    private var conflictSentences: [Sentence] {
        var sentences: [Sentence] = []
        for conflict in model.conflicts {
            let sentence = Sentence(
                .conflictText, .local(conflict.earliest.clause ?? .unknown),
                .day(conflict.earliest.limit ?? "?"), .local(conflict.latest.clause ?? .unknown),
                .day(conflict.latest.limit ?? "?"))
            if !sentences.contains(sentence) { sentences.append(sentence) }
        }
        return sentences
    }
}

/// Days from the first to the last of a dossier, as places from 0 to 100.
struct DateScale {
    let first: String
    let last: String
    let today: String
    private let from: Int64
    private let days: Int64

    init(_ dates: [DossierDate], today: String) {
        let all = (dates.flatMap { [$0.actual, $0.limit] }.compactMap { $0 } + [today])
            .filter { Self.number($0) != nil }.sorted()
        first = all.first ?? today
        last = all.last ?? today
        self.today = today
        from = Self.number(first) ?? 0
        days = max(1, (Self.number(last) ?? 0) - from)
    }

    func place(_ date: String) -> Double {
        guard let number = Self.number(date) else { return 0 }
        return min(100, max(0, Double(number - from) / Double(days) * 100))
    }

    private static func number(_ date: String) -> Int64? {
        Timestamp(date + "T00:00:00Z").map { $0.seconds / 86_400 }
    }
}
