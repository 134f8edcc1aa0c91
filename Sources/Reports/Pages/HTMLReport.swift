import Basics

extension ReportModel {
    /// The report as one HTML file that needs nothing else.
    public func html(in language: Language) -> String { HTMLReport(self, language).document }
}

/// The pages of a report: what stands where. What it says comes from the model, how it is said from
/// the texts.
struct HTMLReport {
    let model: ReportModel
    let texts: Texts

    var formats: Formats { texts.formats }

    init(_ model: ReportModel, _ language: Language) {
        self.model = model
        texts = Texts(language)
    }

    /// A section of the report: its anchor, its title, its content.
    struct Part {
        let id: String
        let title: Phrase
        let content: HTML
    }

    var document: String {
        let parts = self.parts.filter { !$0.content.isEmpty }
        let head = HTML(joining: [
            element(.meta, .utf8),
            element(.meta, .metaName("viewport"), .content("width=device-width, initial-scale=1")),
            // Even a reader's software is asked to load nothing.
            element(
                .meta, .header("Content-Security-Policy"),
                .content("default-src 'none'; style-src 'unsafe-inline'")),
            element(.meta, .metaName("generator"), .content("exeat \(model.tool)")),
            element(.title) { texts[title] + (model.archive.name.map { " – \($0)" } ?? "") },
            HTML(styleSheet: StyleSheet.text),
        ])
        let body = HTML(joining: [
            element(.a, .class("skip"), .to("content")) { texts[.skip] },
            element(.div, .class("frame")) {
                top
                contents(parts)
                element(.main, .id("content")) {
                    element(.section, .id("summary"), .label(texts[.verdictTitle])) { summary }
                    for part in parts {
                        element(.section, .id(part.id), .labelledBy(part.id + "-title")) {
                            element(.h2, .id(part.id + "-title")) { texts[part.title] }
                            part.content
                        }
                    }
                }
                element(.footer) {
                    element(.p) { texts.html(.footerText, .name(model.tool)) }
                }
            },
        ])
        return HTML.document(language: texts.language.rawValue, head: head, body: body)
    }

    private var parts: [Part] {
        [
            Part(id: "parties", title: .partiesTitle, content: parties),
            Part(id: "dates", title: .datesTitle, content: dates),
            Part(id: "volumes", title: .volumesTitle, content: volumes),
            Part(id: "run", title: .runTitle, content: run),
            Part(id: "sources", title: .sourcesTitle, content: sources),
            Part(id: "omissions", title: .omissionsTitle, content: omissions),
            Part(id: "rehearsals", title: .rehearsalsTitle, content: rehearsals),
            Part(id: "data-act", title: .dataActTitle, content: dataAct),
            Part(id: "records", title: .recordsTitle, content: records),
            Part(id: "verify", title: .instructionsTitle, content: instructions),
            Part(id: "limits", title: .limitsTitle, content: limits),
            Part(id: "annex", title: .annexTitle, content: annex),
        ]
    }

    private var title: Phrase {
        switch model.archive.purpose {
        case "end-of-contract": .titleEndOfContract
        case "drp-rehearsal": .titleRehearsal
        case "migration": .titleMigration
        default: .titleTrial
        }
    }

    private var top: HTML {
        element(.header, .class("top")) {
            element(.p, .class("over")) { "Exeat" }
            element(.h1) { texts[title] }
            element(.p, .class("under")) {
                if let name = model.archive.name {
                    element(.strong) { HTML.name(name) }
                    " · "
                }
                if let provider = model.archive.provider {
                    HTML.name(provider)
                    if let customer = model.archive.customer {
                        " → "
                        HTML.name(customer)
                    }
                    " · "
                }
                element(.time, .moment(model.madeAt.text)) {
                    texts.html(.madeAt, .moment(model.madeAt))
                }
            }
        }
    }

    private func contents(_ parts: [Part]) -> HTML {
        element(.nav, .label(texts[.contents])) {
            element(.h2) { texts[.contents] }
            element(.ol) {
                element(.li) { element(.a, .to("summary")) { texts[.verdictTitle] } }
                for part in parts {
                    element(.li) { element(.a, .to(part.id)) { texts[shortTitle(part)] } }
                }
            }
        }
    }

    private func shortTitle(_ part: Part) -> Phrase {
        switch part.id {
        case "data-act": .navDataAct
        case "sources": .navSources
        case "limits": .navLimits
        case "annex": .navAnnex
        case "omissions": .navOmissions
        default: part.title
        }
    }
}
