import Basics
import Manifests

/// Per source: what was expected, exported, omitted, imported and compared.
extension HTMLReport {
    var sources: HTML {
        guard !model.sources.isEmpty else { return .empty }
        return HTML(
            joining: [
                overview, omittedInPart,
                model.coverage.map {
                    coverage($0, texts[.systemsCaption], id: "systems-declared")
                } ?? .empty,
            ] + model.sources.map(source))
    }

    private var overview: HTML {
        table(
            texts[.sourcesCaption], id: "sources",
            [
                .text(.columnSource), .text(.columnKind), .number(.columnExpected),
                .number(.columnExported), .number(.columnOmitted), .number(.columnVolume),
                .text(.columnImported), .text(.columnCompared),
            ]
        ) {
            for source in model.sources {
                element(.tr) {
                    head { element(.a, .to(anchor(source))) { HTML.name(source.label) } }
                    cell { word(source.kind) }
                    numberCell(source.expected.map(formats.number) ?? "–")
                    numberCell(source.exported.map(formats.number) ?? "–")
                    HTML(
                        .td, [.class("number")],
                        HTML(joining: [
                            HTML(formats.number(source.omitted)),
                            source.openOmissions > 0
                                ? element(.span, .class("warn")) {
                                    " "
                                    Drawing.icon(.exclamation)
                                } : .empty,
                        ]))
                    numberCell(formats.size(source.plainBytes ?? source.storedBytes))
                    shortCell {
                        source.imports.last.map { HTML.name($0.receipt) }
                            ?? HTML(texts[.importedNo])
                    }
                    cell { comparison(source) }
                }
            }
            if model.sources.count > 1, let outcome = model.outcome {
                element(.tr, .class("total")) {
                    head { texts[.allSources] }
                    cell { formats.number(Int64(model.sources.count)) }
                    numberCell(formats.number(outcome.expected))
                    numberCell(formats.number(outcome.exported))
                    numberCell(formats.number(outcome.omitted))
                    numberCell(
                        formats.size(
                            model.sources.reduce(0) { $0 &+ ($1.plainBytes ?? $1.storedBytes) }))
                    cell { "" }
                    cell { "" }
                }
            }
        }
    }

    /// Why exported and omitted may be more than expected.
    private var omittedInPart: HTML {
        guard let outcome = model.outcome else { return .empty }
        let more = outcome.exported &+ outcome.omitted &- outcome.expected
        guard more > 0 else { return .empty }
        return note(.omittedInPart, .number(more))
    }

    private func anchor(_ source: SourceFacts) -> String { "source-\(source.place + 1)" }

    private func comparison(_ source: SourceFacts) -> HTML {
        guard let latest = source.imports.last else {
            return source.retaken.isEmpty
                ? HTML("–") : state(.good, .check, texts[.retakenEqual])
        }
        if !latest.isEqual { return state(.bad, .cross, texts[.comparedDifferent]) }
        if latest.comparisons.isEmpty { return state(.warn, .question, texts[.comparedNot]) }
        if latest.notSet > 0 {
            return state(
                .warn, .exclamation, texts.text(.comparedPart, .number(latest.notSet)))
        }
        return state(.good, .check, texts[.comparedEqual])
    }

    private func source(_ source: SourceFacts) -> HTML {
        element(.article, .class("source"), .id(anchor(source)), .labelledBy(anchor(source) + "-h"))
        {
            element(.h3, .id(anchor(source) + "-h")) {
                HTML.name(source.label)
                " – "
                word(source.kind)
            }
            facts([
                (.sourceCounts, counts(source.counts)),
                (
                    .sourceMoment,
                    source.moment.map { moment in
                        HTML(joining: [
                            word(moment.kind), HTML(" · "), instant(moment.value),
                        ])
                    } ?? .empty
                ),
                (.sourceFacts, origin(source)),
                (.sourceLegal, legal(source)),
                (.sourceOmissions, omitted(source)),
            ])
            coverage(source)
            comparisons(source)
            artifacts(source)
        }
    }

    private func instant(_ value: String) -> HTML {
        guard let at = Timestamp(value) else { return .code(value) }
        return moment(at, seconds: true)
    }

    private func origin(_ source: SourceFacts) -> HTML {
        HTML(
            joining: source.facts.map { fact in
                element(.div) {
                    word(fact.name)
                    texts.colon
                    HTML.name(fact.value)
                }
            })
    }

    private func legal(_ source: SourceFacts) -> HTML {
        HTML(
            joining: source.legal.map { line in
                element(.div) {
                    texts.html(
                        .legalLine, .phrase(category(line.category)),
                        .number(Int64(line.artifacts)),
                        .bytes(line.bytes))
                }
            })
    }

    private func category(_ category: String) -> Phrase {
        switch category {
        case "digital-asset": .legalAsset
        case "exempt": .legalExempt
        default: .legalExportable
        }
    }

    private func omitted(_ source: SourceFacts) -> HTML {
        guard source.omitted > 0 else { return HTML(texts[.omissionsNone]) }
        return HTML(
            joining: source.omissions.map { omission in
                element(.div) {
                    formats.number(omission.count)
                    " × "
                    word(omission.reason)
                    if !omission.isAccepted {
                        " – "
                        state(.warn, .exclamation, texts[.noOpen])
                    }
                }
            })
    }

    /// What was declared before, against what was found.
    private func coverage(_ source: SourceFacts) -> HTML {
        guard let facts = source.coverage else { return .empty }
        return coverage(
            facts, texts.text(.coverageCaption, .name(source.label)),
            id: anchor(source) + "-declared")
    }

    private func coverage(_ coverage: CoverageFacts, _ caption: String, id: String) -> HTML {
        HTML(joining: [
            table(
                caption, id: id,
                [
                    .text(.coverageCategory), .text(.columnLegal), .number(.columnArtifact),
                    .text(.coverageGround),
                ]
            ) {
                for declared in coverage.declared {
                    element(.tr) {
                        head { HTML.name(texts.term(declared.category)) }
                        cell { declared.legal.map { HTML(texts[category($0)]) } ?? HTML("–") }
                        numberCell(formats.number(declared.artifacts))
                        cell {
                            HTML.name(
                                [declared.ground.map { texts.term($0) }, declared.clause]
                                    .compactMap { $0 }
                                    .joined(separator: ", "))
                        }
                    }
                }
            },
            element(.p) {
                if coverage.unexplained == 0 {
                    state(.good, .check, texts[.coverageWhole])
                } else {
                    state(
                        .warn, .exclamation,
                        texts.text(.coverageGaps, .number(coverage.unexplained)))
                    " "
                    counts(coverage.gaps)
                }
            },
        ])
    }

    private func comparisons(_ source: SourceFacts) -> HTML {
        let imports = source.imports.filter { !$0.comparisons.isEmpty }
        guard !imports.isEmpty || !source.retaken.isEmpty else { return .empty }
        return table(
            texts.text(.comparisonsCaption, .name(source.label)), id: anchor(source) + "-compared",
            [
                .text(.columnDocument), .text(.columnMeasure), .text(.columnExpectedDigest),
                .text(.columnFound), .text(.columnResult),
            ]
        ) {
            for comparison in source.retaken.prefix(Self.mostComparisons) {
                row(HTML(texts[.thisVerification]), comparison)
            }
            for imported in imports.suffix(3) {
                for comparison in imported.comparisons.prefix(Self.mostComparisons) {
                    row(HTML.name(imported.receipt), comparison)
                }
            }
        }
    }

    private static let mostComparisons = 60

    private func row(_ document: HTML, _ comparison: Comparison) -> HTML {
        element(.tr) {
            shortCell { document }
            head { measure(comparison.name) }
            foundCell(comparison.expected)
            foundCell(comparison.found)
            cell {
                comparison.isEqual
                    ? state(.good, .check, texts[.resultEqual])
                    : state(.bad, .cross, texts[.resultDifferent])
            }
        }
    }

    private func artifacts(_ source: SourceFacts) -> HTML {
        guard !source.artifacts.isEmpty else { return .empty }
        return element(.details) {
            element(.summary) {
                texts.html(.artifactsSummary, .number(Int64(source.artifactCount)))
            }
            table(
                texts.text(.artifactsCaption, .name(source.label)),
                id: anchor(source) + "-artifacts",
                [
                    .text(.columnArtifact), .text(.columnKind), .text(.columnLegal),
                    .text(.columnFormat), .number(.columnSegments), .number(.columnStored),
                    .text(.columnDigest),
                ]
            ) {
                for artifact in source.artifacts {
                    element(.tr) {
                        head { HTML.name(artifact.label) }
                        cell { word(artifact.kind) }
                        cell { texts[category(artifact.legal)] }
                        cell { HTML.name(artifact.format) }
                        numberCell(formats.number(artifact.segments))
                        numberCell(formats.size(artifact.bytes))
                        HTML(.td, [.class("digest")], digests(artifact))
                    }
                }
            }
            if source.artifactCount > source.artifacts.count {
                note(.artifactsMore, .number(Int64(source.artifactCount - source.artifacts.count)))
            }
        }
    }

    private func digests(_ artifact: SourceFacts.Artifact) -> HTML {
        guard !artifact.digests.isEmpty else {
            return model.archive.contentIsSealed ? HTML(texts[.digestsSealed]) : HTML("–")
        }
        return HTML(
            joining: artifact.digests.map { digest in
                element(.div) {
                    HTML.name(digest.name)
                    " "
                    HTML.code(digest.value)
                }
            })
    }
}
