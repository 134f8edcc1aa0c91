import Basics
import Connectors
import Manifests
import Streams

/// Text logs: written by the text half.
struct TextFamily: LogFamily {
    static let word = "text"

    init(_ settings: TextSettings, accepted: Set<LogOmission>, room: Room) throws(Failure) {
        throw Failure(.unsupported, "text logs are not exported yet")
    }

    func survey() throws(Failure) -> Survey {
        Survey(bytes: 0, counts: [], findings: [], omissions: OmissionSummary())
    }

    func inventory() throws(Failure) -> FamilyInventory {
        FamilyInventory(artifacts: [], objects: 0, facts: [:], counts: [])
    }

    func export(
        _ segment: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        SegmentResult(exported: 0, omitted: 0)
    }

    func conclude(_ artifact: Int) throws(Failure) -> Conclusion { Conclusion() }

    func omissions() throws(Failure) -> OmissionSummary { OmissionSummary() }
}
