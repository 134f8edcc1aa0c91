import Basics

/// Volume by source, and the course of the run.
extension HTMLReport {
    /// How many sources are drawn; the table of sources has all.
    private static let mostDrawn = 24

    var volumes: HTML {
        guard !model.sources.isEmpty else { return .empty }
        let bySize = model.sources.sorted {
            (-volume($0), $0.place) < (-volume($1), $1.place)
        }
        let drawn = bySize.prefix(
            bySize.count <= Self.mostDrawn ? bySize.count : Self.mostDrawn - 1)
        let rest = bySize.dropFirst(drawn.count)
        let restVolume = rest.reduce(0) { $0 &+ volume($1) }
        let most = max(1, drawn.first.map(volume) ?? 0)
        let total = max(1, model.sources.reduce(0) { $0 &+ volume($1) })
        return element(.figure) {
            element(.figcaption) { texts[.volumesCaption] }
            element(.ul, .class("legend")) {
                element(.li) {
                    Drawing.swatch("fill-soft")
                    texts[.legendWhole]
                }
                element(.li) {
                    Drawing.swatch("fill")
                    texts[.legendStored]
                }
            }
            element(.ol, .class("rows")) {
                for source in drawn {
                    volumeRow(
                        HTML(joining: [HTML.name(source.label), kind(source.kind)]), source.label,
                        volume(source), source.storedBytes, most: most, total: total)
                }
                if !rest.isEmpty {
                    volumeRow(
                        texts.html(.volumesOthers, .number(Int64(rest.count))),
                        nil, restVolume, rest.reduce(0) { $0 &+ $1.storedBytes }, most: most,
                        total: total)
                }
            }
        }
    }

    private func volume(_ source: SourceFacts) -> Int64 { source.plainBytes ?? source.storedBytes }

    private func kind(_ kind: String) -> HTML {
        element(.span, .class("small")) { word(kind) }
    }

    /// - Parameter title: nil draws no bar: of many sources together it would dwarf each of the others.
    private func volumeRow(
        _ label: HTML, _ title: String?, _ whole: Int64, _ stored: Int64, most: Int64, total: Int64
    ) -> HTML {
        element(.li) {
            element(.span, .class("what")) { label }
            element(.span, .class("strip-cell")) {
                if let title {
                    Drawing.bars(
                        whole: Double(whole) / Double(most), part: Double(stored) / Double(most),
                        title: title + texts.colon + formats.size(whole)
                            + ", \(texts[.volumeStored]) \(formats.size(stored))")
                }
            }
            element(.span, .class("value")) {
                formats.size(whole)
                element(.span, .class("small")) {
                    "\(texts[.volumeStored]) \(formats.size(stored)) · \(formats.share(whole, of: total))"
                }
            }
        }
    }

    var run: HTML {
        guard let run = model.run else { return element(.p) { texts[.runMissing] } }
        return HTML(joining: [
            gantt(run), throughput(run), interruptions(run),
            note(.runNote, .number(Int64(run.lines)), .number(Int64(run.segments))),
        ])
    }

    private func gantt(_ run: RunFacts) -> HTML {
        let largest = run.rows.sorted { ($0.bytes, $1.source) > ($1.bytes, $0.source) }
            .prefix(Self.mostDrawn).map(\.source)
        let drawn = run.rows.filter { largest.contains($0.source) }
        let all = Double(max(1, run.milliseconds))
        let pauses = shares(run)
        return element(.figure) {
            element(.figcaption) { texts[.ganttCaption] }
            element(.ul, .class("legend")) {
                element(.li) {
                    Drawing.swatch("fill")
                    texts[.legendActive]
                }
                if !pauses.isEmpty {
                    element(.li) {
                        Drawing.swatch("fill-pause")
                        texts[.legendPause]
                    }
                }
            }
            element(.ol, .class("rows")) {
                for row in drawn {
                    element(.li) {
                        element(.span, .class("what")) { HTML.name(label(row.source)) }
                        element(.span, .class("strip-cell")) {
                            Drawing.activity(
                                from: Double(row.inventoried) / all, to: Double(row.last) / all,
                                load: row.load, pauses: pauses,
                                title: label(row.source) + texts.colon
                                    + texts.text(
                                        .ganttRow, .milliseconds(row.inventoried),
                                        .milliseconds(row.last)))
                        }
                        element(.span, .class("value")) {
                            formats.duration(milliseconds: row.last - row.inventoried)
                            if row.last - row.inventoried >= 100 {
                                element(.span, .class("small")) {
                                    formats.rate(
                                        bytesPerSecond: Int64(
                                            Double(row.bytes) * 1000
                                                / Double(row.last - row.inventoried)))
                                }
                            }
                        }
                    }
                }
                scale(milliseconds: run.milliseconds)
            }
            if drawn.count < run.rows.count {
                note(.othersNotDrawn, .number(Int64(drawn.count)))
            }
        }
    }

    private func label(_ source: Int) -> String {
        model.sources.first { $0.place == source }?.label ?? "#\(source + 1)"
    }

    private func shares(_ run: RunFacts) -> [(from: Double, to: Double)] {
        let all = Double(max(1, run.milliseconds))
        return run.pauses.map { (Double($0.from) / all, Double($0.to) / all) }
    }

    /// The scale below rows of strips.
    func scale(milliseconds: Int64) -> HTML {
        element(.li, .class("scale"), .hidden) {
            element(.span, .class("what"))
            element(.span, .class("axis strip-cell")) {
                for place in [0, 25, 50, 75, 100] {
                    element(.span, .left(Double(place))) {
                        formats.duration(milliseconds: milliseconds * Int64(place) / 100)
                    }
                }
            }
            element(.span, .class("value"))
        }
    }

    private func throughput(_ run: RunFacts) -> HTML {
        guard let mean = run.meanRate, run.milliseconds >= 200 else {
            return note(.throughputShort)
        }
        let peak = Int64(run.throughput.max() ?? 0)
        let description = texts.text(
            .throughputText, .rate(mean), .rate(peak), .milliseconds(run.milliseconds))
        return element(.figure) {
            element(.figcaption) { texts[.throughputTitle] }
            element(.div, .class("plot")) {
                Drawing.area(
                    run.throughput, mean: Double(mean), pauses: shares(run),
                    title: texts[.throughputTitle], description: description, id: "throughput")
                element(.span, .class("peak"), .hidden) { texts.html(.peak, .rate(peak)) }
            }
            element(.div, .class("axis"), .hidden) {
                for place in [0, 50, 100] {
                    element(.span, .left(Double(place))) {
                        formats.duration(milliseconds: run.milliseconds * Int64(place) / 100)
                    }
                }
            }
            element(.p, .class("note")) { description }
        }
    }

    private func interruptions(_ run: RunFacts) -> HTML {
        guard !run.pauses.isEmpty else { return .empty }
        return element(.p) {
            texts.html(
                .pausesText, .number(Int64(run.pauses.count)),
                .milliseconds(run.milliseconds - run.working), .number(Int64(run.voided)))
        }
    }
}
