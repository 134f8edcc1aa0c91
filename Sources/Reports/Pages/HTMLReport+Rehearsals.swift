import Basics

/// Rehearsals of recovery: times against objectives, and the sheet that hospitals file.
extension HTMLReport {
    /// How many rehearsals have pages of their own; all are in the trend.
    private static let mostPages = 4
    private static let mostPhases = 60

    var rehearsals: HTML {
        guard !model.rehearsals.isEmpty else { return .empty }
        return HTML(joining: model.rehearsals.suffix(Self.mostPages).reversed().map(rehearsal))
    }

    private func rehearsal(_ facts: RehearsalFacts) -> HTML {
        element(.article, .class("source"), .id("rehearsal-\(facts.receipt.number)")) {
            element(.h3) { texts.html(.rehearsalOf, day(facts)) }
            self.facts([
                (.rehearsalResult, result(facts)),
                (.rehearsalMeasured, HTML(formats.duration(milliseconds: facts.milliseconds))),
                (
                    .rehearsalObjective,
                    HTML(joining: [
                        HTML(formats.duration(milliseconds: facts.objectiveSeconds * 1000) + " – "),
                        met(facts.isInTime),
                    ])
                ),
                (.rehearsalBound, facts.bound.map { word($0) } ?? .empty),
                (.rehearsalArchive, archive(facts)),
                (.rehearsalMachine, machine(facts)),
                (.rehearsalPrediction, prediction(facts)),
            ])
            if facts.reachedTimeLimit {
                element(.p) { state(.bad, .clock, texts[.rehearsalTimeLimit]) }
            }
            tiers(facts)
            phases(facts)
            restored(facts)
            probes(facts)
            trend(facts)
            sheet(facts)
        }
    }

    private func day(_ facts: RehearsalFacts) -> Sentence.Value {
        facts.receipt.startedAt.map { .day(model.days($0)) } ?? .name(facts.receipt.file)
    }

    private func result(_ facts: RehearsalFacts) -> HTML {
        let word = texts.term(facts.verdict)
        return switch facts.receipt.status {
        case 0: state(.good, .check, word)
        case 2: state(.warn, .exclamation, word)
        default: state(.bad, .cross, word)
        }
    }

    private func met(_ isMet: Bool) -> HTML {
        isMet
            ? state(.good, .check, texts[.rehearsalMet])
            : state(.bad, .cross, texts[.rehearsalMissed])
    }

    /// How a rehearsal of the trend ended: one that failed, failed whatever time it took.
    private func outcome(_ one: RehearsalFacts.Earlier) -> HTML {
        switch one.status {
        case 0, 2: met(true)
        case 4: met(false)
        case 3: state(.bad, .cross, texts.term("failed"))
        default: state(.bad, .cross, texts.term("incomplete"))
        }
    }

    private func archive(_ facts: RehearsalFacts) -> HTML {
        facts.isArchiveIntact
            ? state(.good, .check, texts[.rehearsalIntact])
            : state(.bad, .cross, texts.text(.rehearsalDamaged, .number(facts.damagedFiles)))
    }

    private func machine(_ facts: RehearsalFacts) -> HTML {
        guard let cores = facts.cores, let workers = facts.workers, let busy = facts.percentBusy
        else { return .empty }
        return texts.html(
            .rehearsalMachineText, .number(cores), .number(workers), .number(busy),
            .phrase(facts.hasKVM ? .yes : .no))
    }

    private func prediction(_ facts: RehearsalFacts) -> HTML {
        guard let prediction = facts.prediction else { return .empty }
        let measured = texts.html(
            .rehearsalPredictionMeasured, .bytes(prediction.measuredBytes))
        guard prediction.trust != "none" else {
            let none = texts.html(.rehearsalPredictionNone, .bytes(prediction.bytes))
            return HTML(joining: [none, measured])
        }
        let text = texts.html(
            .rehearsalPredictionText, .bytes(prediction.bytes),
            .milliseconds(prediction.seconds * 1000), .number(prediction.cores),
            .name(texts.term(prediction.bound)))
        return switch prediction.trust {
        case "weak":
            HTML(joining: [text, texts.html(.rehearsalPredictionWeak), measured])
        case "fair": HTML(joining: [text, measured])
        default: text
        }
    }

    private func tiers(_ facts: RehearsalFacts) -> HTML {
        guard !facts.tiers.isEmpty else { return .empty }
        return table(
            texts[.rehearsalTiers], id: "tiers-\(facts.receipt.number)",
            [
                .text(.rehearsalTier), .number(.rehearsalObjective), .number(.rehearsalMeasured),
                .text(.dateState), .number(.rehearsalPointObjective), .number(.rehearsalPoint),
                .text(.dateState),
            ]
        ) {
            for tier in facts.tiers {
                element(.tr) {
                    head { tier.name.map { HTML.name($0) } ?? HTML(texts[.rehearsalWhole]) }
                    numberCell(formats.duration(milliseconds: tier.objectiveSeconds * 1000))
                    numberCell(formats.duration(milliseconds: tier.milliseconds))
                    cell { met(tier.isInTime && tier.isComplete) }
                    numberCell(seconds(tier.pointObjectiveSeconds))
                    numberCell(seconds(tier.pointSeconds))
                    cell {
                        if tier.pointObjectiveSeconds != nil {
                            met(tier.isRecentEnough)
                        } else {
                            "–"
                        }
                    }
                }
            }
        }
    }

    private func seconds(_ seconds: Int64?) -> String {
        seconds.map { formats.duration(milliseconds: $0 * 1000) } ?? "–"
    }

    private func phases(_ facts: RehearsalFacts) -> HTML {
        guard !facts.phases.isEmpty else { return .empty }
        let all = Double(
            max(1, facts.phases.reduce(facts.milliseconds) { max($0, $1.end) }))
        let critical = facts.criticalPath
        return element(.figure) {
            element(.figcaption) { texts[.rehearsalPhases] }
            element(.ol, .class("rows")) {
                for phase in facts.phases.prefix(Self.mostPhases) {
                    element(.li) {
                        element(.span, .class("what")) {
                            title(phase)
                            if critical.contains(where: {
                                $0.phase == phase.phase && $0.folder == phase.folder
                            }) {
                                element(.span, .class("small")) { texts[.rehearsalCritical] }
                            }
                        }
                        element(.span, .class("strip-cell")) {
                            Drawing.range(
                                from: Double(phase.start) / all, to: Double(phase.end) / all,
                                title: texts.text(
                                    .ganttRow, .milliseconds(phase.start), .milliseconds(phase.end))
                            )
                        }
                        element(.span, .class("value")) {
                            formats.duration(milliseconds: phase.end - phase.start)
                            if let bound = phase.bound {
                                element(.span, .class("small")) { word(bound) }
                            }
                        }
                    }
                }
                scale(milliseconds: Int64(all))
            }
        }
    }

    private func title(_ phase: RehearsalFacts.Phase) -> HTML {
        guard let folder = phase.folder else { return word(phase.phase) }
        return HTML(joining: [
            HTML.name(label(of: folder)), HTML(" · "), word(phase.phase),
        ])
    }

    private func restored(_ facts: RehearsalFacts) -> HTML {
        table(
            texts[.rehearsalSources], id: "restored-\(facts.receipt.number)",
            [
                .text(.columnSource), .text(.columnKind), .text(.rehearsalTier),
                .text(.rehearsalOutcome), .number(.ganttDuration), .number(.rehearsalPoint),
                .text(.rehearsalGuests),
            ]
        ) {
            for source in facts.sources {
                element(.tr) {
                    head { HTML.name(label(of: source.folder)) }
                    cell { word(source.kind) }
                    cell { source.tier.map { HTML.name($0) } ?? HTML("–") }
                    cell { outcome(source) }
                    numberCell(formats.duration(milliseconds: source.end - source.start))
                    numberCell(seconds(source.pointSeconds))
                    cell {
                        for guest in source.guests {
                            element(.div) {
                                "\(guest.number) "
                                word(guest.kind)
                                texts.colon
                                word(guest.state)
                                " (" + formats.duration(milliseconds: guest.milliseconds) + ")"
                            }
                        }
                    }
                }
            }
        }
    }

    private func outcome(_ source: RehearsalFacts.Source) -> HTML {
        let word = texts.term(source.outcome)
        switch source.outcome {
        case "passed": return state(.good, .check, word)
        case "unfinished", "left": return state(.warn, .clock, word)
        default:
            return HTML(joining: [
                state(.bad, .cross, word),
                source.failure.map { HTML(joining: [HTML(" "), HTML.code($0)]) } ?? .empty,
            ])
        }
    }

    private func probes(_ facts: RehearsalFacts) -> HTML {
        guard !facts.probes.isEmpty else { return .empty }
        return table(
            texts[.rehearsalProbes], id: "probes-\(facts.receipt.number)",
            [
                .text(.columnSource), .text(.probeKind), .text(.probeRecorded), .number(.probeTime),
                .text(.columnResult),
            ]
        ) {
            for probe in facts.probes {
                element(.tr) {
                    head { HTML.name(label(of: probe.folder)) }
                    cell {
                        "\(probe.number) · "
                        word(probe.kind)
                    }
                    cell {
                        texts[
                            probe.isRecorded
                                ? .probeFromExport
                                : probe.hasExpectation ? .probeFromPlan : .probeAny]
                    }
                    numberCell(formats.duration(milliseconds: probe.milliseconds))
                    cell {
                        probe.held
                            ? state(
                                .good, .check,
                                texts[probe.hasExpectation ? .probeHeld : .probeAnswered])
                            : state(
                                .bad, .cross, texts[probe.hasAnswer ? .probeNotHeld : .probeSilent])
                    }
                }
            }
        }
    }

    /// Earlier rehearsals and this one, each against its objective.
    private func trend(_ facts: RehearsalFacts) -> HTML {
        guard !facts.earlier.isEmpty else { return .empty }
        let all =
            facts.earlier + [
                RehearsalFacts.Earlier(
                    at: facts.receipt.startedAt, status: facts.receipt.status,
                    milliseconds: facts.milliseconds, objectiveSeconds: facts.objectiveSeconds)
            ]
        let most = Double(
            max(1, all.map { max($0.milliseconds, $0.objectiveSeconds * 1000) }.max() ?? 1))
        return element(.figure) {
            element(.figcaption) { texts[.rehearsalTrend] }
            note(.rehearsalTrendLegend)
            element(.ol, .class("rows")) {
                for one in all {
                    element(.li) {
                        element(.span, .class("what")) {
                            one.at.map { self.day(model.days($0)) } ?? HTML("–")
                        }
                        element(.span, .class("strip-cell")) {
                            Drawing.bars(
                                whole: Double(one.objectiveSeconds) * 1000 / most,
                                part: Double(one.milliseconds) / most,
                                title: formats.duration(milliseconds: one.milliseconds) + " / "
                                    + formats.duration(milliseconds: one.objectiveSeconds * 1000))
                        }
                        element(.span, .class("value")) {
                            formats.duration(milliseconds: one.milliseconds)
                            element(.span, .class("small")) { outcome(one) }
                        }
                    }
                }
            }
        }
    }

    /// The sheet of PGSSI-S: who restored what, from when, and whether it was right.
    private func sheet(_ facts: RehearsalFacts) -> HTML {
        guard let link = model.chain.first(where: { $0.file == facts.receipt.file }) else {
            return .empty
        }
        let equal = facts.comparisons.filter(\.isEqual).count
        return page(
            link, .recordRehearsal, .recordRehearsalText,
            self.facts([
                (.sheetOperator, link.signer.map { HTML.name($0.principal) } ?? .empty),
                (.sheetRequester, element(.span, .class("none")) { texts[.sheetRequesterBlank] }),
                (
                    .sheetElements,
                    HTML(
                        joining: facts.sources.map { source in
                            element(.div) {
                                HTML.name(label(of: source.folder))
                                " – "
                                word(source.kind)
                                " – "
                                word(source.outcome)
                            }
                        })
                ),
                (.sheetBackup, moment(facts.oldestMoment ?? model.archive.sealedAt, seconds: true)),
                (.sheetRestore, moment(facts.receipt.startedAt, seconds: true)),
                (.rehearsalMeasured, HTML(formats.duration(milliseconds: facts.milliseconds))),
                (
                    .sheetChecks,
                    texts.html(
                        .sheetChecksText, .number(Int64(equal)),
                        .number(Int64(facts.comparisons.count)), .number(Int64(facts.heldProbes)),
                        .number(Int64(facts.probes.count)))
                ),
                (.rehearsalResult, result(facts)),
            ]))
    }
}
