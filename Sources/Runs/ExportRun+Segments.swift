import Bags
import Basics
import Connectors
import Manifests
import Plans
import Streams
import Synchronization

extension ExportRun {
    /// What has become of artifacts so far.
    private struct Results {
        var segments: [[Int]]
        var conclusions: [[Conclusion?]]
    }

    /// Exports all segments; the outlines then say how many there are.
    func exportSegments(
        _ inventories: inout [Inventory]
    ) async throws(Failure) -> [[Conclusion]] {
        let outlines = inventories.map(\.artifacts)
        let results = Mutex(
            Results(
                segments: outlines.map { $0.map(\.segments) },
                conclusions: outlines.map { $0.map { _ in nil } }))
        let schedule = ExportSchedule(inventories, lanes: scheduler.lanes.count)
        await scheduler.run(schedule) { [self] (step) throws(Failure) in
            switch step {
            case .cut(let place):
                let count = try sources[place.source].exporter.cut(place.artifact)
                try ledger.noteCut(place.source, place.artifact, segments: count)
                results.withLock { $0.segments[place.source][place.artifact] = count }
                return count
            case .segment(let place, let segment):
                try export(place, segment, outlines[place.source][place.artifact])
            case .conclude(let place):
                let source = sources[place.source]
                let segments = results.withLock { $0.segments[place.source][place.artifact] }
                try checkAcknowledged(
                    source, place.artifact, outlines[place.source][place.artifact],
                    segments: segments)
                let conclusion = try source.exporter.conclude(place.artifact)
                try ledger.noteCompleted(place.source, place.artifact)
                results.withLock { $0.conclusions[place.source][place.artifact] = conclusion }
            }
            return nil
        }
        try schedule.check()
        let done = results.withLock { $0 }
        for source in inventories.indices {
            for artifact in inventories[source].artifacts.indices {
                inventories[source].artifacts[artifact].segments = done.segments[source][artifact]
            }
        }
        return done.conclusions.map { $0.compactMap { $0 } }
    }

    private func export(
        _ place: ExportSchedule.Artifact, _ segment: Int, _ outline: ArtifactOutline
    ) throws(Failure) {
        let source = sources[place.source]
        let slot = RunLedger.Place(
            source: place.source,
            number: SegmentNumber(artifact: place.artifact, segment: segment))
        if let done = ledger.commit(at: slot) {
            progress.add(
                bytes: done.record.plainBytes, stored: done.record.bytes,
                objects: done.result.exported)
            return
        }
        try SegmentJob(
            exporter: source.exporter, place: slot,
            path: try path(source, place.artifact, outline, segment),
            pipeline: SegmentJob.Pipeline(
                writer: writer, ledger: ledger, level: level, adaptive: adaptive,
                recipients: recipients, throttles: source.throttles, progress: progress,
                format: outline.format)
        ).run()
    }

    func folder(_ source: OpenSource, _ artifact: Int, _ outline: ArtifactOutline) -> String {
        "\(source.folder)/\(outline.slug)-\(padded(artifact + 1, 5))"
    }

    private func path(
        _ source: OpenSource, _ artifact: Int, _ outline: ArtifactOutline, _ segment: Int
    ) throws(Failure) -> BagPath {
        let suffix = recipients.isEmpty ? "" : ".age"
        return try BagPath(
            "data/\(folder(source, artifact, outline))/"
                + "segment-\(padded(segment, 5)).\(outline.format).zst\(suffix)")
    }

    /// Expected against acknowledged: the one place where an artifact becomes complete.
    private func checkAcknowledged(
        _ source: OpenSource, _ artifact: Int, _ outline: ArtifactOutline, segments: Int
    ) throws(Failure) {
        var acknowledged: Int64 = 0
        for segment in 0..<segments {
            let number = SegmentNumber(artifact: artifact, segment: segment)
            guard
                let commit = ledger.commit(
                    at: RunLedger.Place(source: source.place, number: number))
            else {
                throw Failure(
                    .coverageMismatch,
                    "segment \(segment) of \"\(outline.name)\" of source \"\(source.plan.name)\" "
                        + "is not in the archive")
            }
            acknowledged += commit.result.exported + commit.result.omitted
        }
        guard acknowledged == outline.expected else {
            throw Failure(
                .coverageMismatch,
                "\"\(outline.name)\" of source \"\(source.plan.name)\" has \(acknowledged) of "
                    + "\(outline.expected) expected objects",
                hint: "Keep the output as it is and report this: it is a fault of exeat.")
        }
    }
}
