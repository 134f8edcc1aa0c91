import Basics
import Connectors
import Manifests
import Plans

/// The questions of a plan about a source, and what it answers in its moment.
///
/// Answers are kept in the room, since a source that is complete cannot be asked again.
struct ExportProbes {
    private let source: ExportRun.OpenSource
    private let path: String

    init(_ source: ExportRun.OpenSource, _ stateDirectory: String) {
        self.source = source
        path = "\(stateDirectory)/source-\(source.place)/probes"
    }

    /// Asks what has not been asked yet. A question that cannot be answered ends the run: it would be
    /// worth nothing at the rehearsal.
    func ask() throws(Failure) {
        if source.plan.probes.isEmpty || Files.exists(path) { return }
        var records: [ProbeRecord] = []
        for probe in source.plan.probes { records.append(try record(probe)) }
        try Files.write(
            JSON.array(records.map(\.json)).canonical, to: path, mode: 0o600)
    }

    func read() throws(Failure) -> [ProbeRecord] {
        if source.plan.probes.isEmpty { return [] }
        var records: [ProbeRecord] = []
        for json in try JSON(parsing: Files.read(path)).array ?? [] {
            records.append(try ProbeRecord(json))
        }
        return records
    }

    private func record(_ probe: ProbePlan) throws(Failure) -> ProbeRecord {
        let expected: String? = if case .text(let text) = probe.expectation { text } else { nil }
        var answer: ProbeAnswer?
        if let question = ProbeQuestion(request: probe.request, within: probe.patience) {
            do throws(Failure) {
                answer = try source.exporter.answer(question)
                try answer?.checkLength()
            } catch {
                throw error.during("cannot answer the probe \"\(probe.name)\"")
            }
        }
        if let answer, let expected, answer.text != expected {
            throw Failure(
                .planInvalidValue,
                "the probe \"\(probe.name)\" expects \"\(expected)\", and the source answers "
                    + "\"\(answer.text)\"", hint: "Correct the plan, or look at the source.")
        }
        return ProbeRecord(
            name: probe.name, request: probe.request, expect: expected, answer: answer?.value,
            within: probe.patience)
    }
}
