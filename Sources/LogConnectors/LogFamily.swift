import Basics
import Connectors
import Manifests
import Streams

/// One kind of logs within a source of kind `logs`: the journal, or text logs.
///
/// `LogsExporter` asks its families as a run asks an exporter (see `Exporter` for the contract of each
/// call), and joins their answers. A family numbers its artifacts from 0 on; its private files
/// belong into the directory of the room that it was made with, which no other family uses.
protocol LogFamily: Sendable {
    /// The member of the source's facts that holds what this family says.
    static var word: String { get }

    func survey() throws(Failure) -> Survey

    /// The artifacts of this family; `after` counts within it.
    func inventory() throws(Failure) -> FamilyInventory

    func export(
        _ segment: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult

    func conclude(_ artifact: Int) throws(Failure) -> Conclusion

    func omissions() throws(Failure) -> OmissionSummary
}

/// The expected list of one family.
struct FamilyInventory: Sendable {
    var artifacts: [ArtifactOutline]
    var objects: Int64
    /// Stands in the facts of the source under the family's word.
    var facts: JSON
    var counts: [JSON.Member]
}

/// One kind of logs within an archive, on its way to a target.
///
/// `LogsImporter` hands each family the artifacts whose kinds it names, and joins rounds, slices and
/// results. Segment numbers are those of the archive: a unit's `artifact` is the place in the
/// source record.
protocol LogTargetFamily: Sendable {
    /// Kinds of artifacts that belong to the family.
    static var artifactKinds: [String] { get }

    func prepare() throws(Failure) -> ImportOutline

    func begin() throws(Failure)

    func replay(_ unit: SegmentNumber) throws(Failure)

    func finish() throws(Failure)

    /// Slices of a family count from 0 on.
    func compare(_ slice: Int) throws(Failure)

    func conclude(counting: Bool) throws(Failure) -> ImportResult
}

/// One kind of logs within an archive, whose digests are taken again.
protocol LogAudit: Sendable {
    var slices: Int { get }

    func audit(_ slice: Int) throws(Failure)

    func conclude() throws(Failure) -> [ImportResult.Comparison]
}
