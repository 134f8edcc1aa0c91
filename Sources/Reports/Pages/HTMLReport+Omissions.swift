import Basics
import Manifests

/// What was left out, what people have to do, and the articles of the Data Act.
extension HTMLReport {
    var omissions: HTML { HTML(joining: [omissionTable, whereOmissionsAre, actions]) }

    /// A page shows a few of them, or none; whoever holds the archive has them all.
    private var whereOmissionsAre: HTML {
        model.sources.flatMap(\.omissions).contains { $0.count > Int64($0.examples.count) }
            ? note(.omissionsWhere, .number(Int64(OmissionSummary.mostLines))) : .empty
    }

    private var omissionTable: HTML {
        let omitted = model.sources.filter { !$0.omissions.isEmpty }
        guard !omitted.isEmpty else { return element(.p) { texts[.omissionsNone] } }
        return table(
            texts[.omissionsCaption], id: "omitted",
            [
                .text(.columnSource), .text(.columnReason), .number(.columnCount),
                .text(.columnCovered),
            ]
        ) {
            for source in omitted {
                for omission in source.omissions {
                    element(.tr) {
                        head { HTML.name(source.label) }
                        cell {
                            word(omission.reason)
                            examples(omission)
                        }
                        numberCell(formats.number(omission.count))
                        cell {
                            omission.isAccepted
                                ? state(.good, .check, texts[.yes])
                                : state(.warn, .exclamation, texts[.noOpen])
                        }
                    }
                }
            }
        }
    }

    private func examples(_ omission: SourceFacts.Omission) -> HTML {
        guard !omission.examples.isEmpty else { return .empty }
        return element(.ul) {
            for example in omission.examples { element(.li) { HTML.name(example) } }
            if omission.count > Int64(omission.examples.count) { element(.li) { "…" } }
        }
    }

    private var actions: HTML {
        element(.div) {
            element(.h3) { texts[.actionsTitle] }
            if model.actions.isEmpty {
                element(.p) { texts[.actionsNone] }
            } else {
                element(.ul) {
                    for action in model.actions {
                        element(.li) {
                            if case .receipt(let number) = action.origin {
                                HTML.name("receipt-\(number).json")
                                texts.colon
                            }
                            if let folder = action.folder {
                                HTML.name(label(of: folder))
                                " – "
                            }
                            reservation(action.text)
                            if let count = action.count, count > 1 { " × \(formats.number(count))" }
                        }
                    }
                }
            }
        }
    }

    /// A reservation of a receipt in the language of the report; one that we did not write stays as it
    /// is.
    func reservation(_ text: String) -> HTML {
        Reservation(parsing: text).map(texts.html) ?? foreign(text)
    }

    var dataAct: HTML {
        HTML(joining: [
            note(.dataActNote),
            table(
                texts[.dataActCaption], id: "duties",
                [
                    .text(.columnArticle), .text(.columnDuty), .text(.columnEvidence),
                    .text(.dateState),
                ]
            ) {
                for duty in model.dataAct {
                    element(.tr) {
                        HTML(.th, [.scope("row"), .class("short")], HTML(duty.duty.article))
                        cell { texts[duty.duty] }
                        cell {
                            for sentence in duty.evidence {
                                element(.div) { texts.html(sentence) }
                            }
                        }
                        cell { state(duty.state) }
                    }
                }
            },
        ])
    }

    private func state(_ state: DutyFacts.State) -> HTML {
        switch state {
        case .shown: self.state(.good, .check, texts[.dutyShown])
        case .partial: self.state(.warn, .exclamation, texts[.dutyPartial])
        case .absent: self.state(.none, .dash, texts[.dutyAbsent])
        case .outside: self.state(.none, .question, texts[.dutyOutside])
        case .notDue: self.state(.none, .dash, texts[.dutyNotDue])
        case .missed: self.state(.bad, .cross, texts[.missedState])
        case .open: self.state(.warn, .clock, texts[.openState])
        }
    }
}
