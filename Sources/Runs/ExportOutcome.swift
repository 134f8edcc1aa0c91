public import Basics
import Manifests

/// How an export ended: expected against acknowledged.
public struct ExportOutcome: Sendable {
    /// 0 complete; 2 sealed with omissions that the plan does not cover, or without a time-stamp that
    /// it asks for.
    public var status: Int32 { stamps?.isIncomplete == true ? 2 : sealedStatus }
    /// What the seal says.
    let sealedStatus: Int32
    public let output: String
    public let bag: String
    public let expected: Int64
    public let exported: Int64
    public let omissions: [OmissionSummary.Count]
    public let payloadFiles: Int64
    public let payloadBytes: Int64
    /// The digest that the seal signs; nil when an archive was only verified again.
    public let tagManifest: String?
    /// True when the output was sealed before this command began.
    public let wasSealed: Bool
    /// nil where the plan asks for no time-stamps.
    public let stamps: StampOutcome?
    /// What declared, found and exported do not explain of each other; may name objects.
    public let gaps: [String]

    public var omitted: Int64 { omissions.reduce(0) { $0 + $1.count } }

    public var json: JSON {
        [
            "status": .integer(Int64(status)), "output": .string(output), "bag": .string(bag),
            "expected": .integer(expected), "exported": .integer(exported),
            "omitted": .integer(omitted),
            "omissions": .array(
                omissions.map {
                    [
                        "reason": .string($0.reason), "count": .integer($0.count),
                        "accepted": .bool($0.accepted),
                    ]
                }),
            "payload": ["files": .integer(payloadFiles), "bytes": .integer(payloadBytes)],
            "tagManifestSha256": tagManifest.map { .string($0) } ?? .null,
            "wasSealed": .bool(wasSealed), "timeStamps": stamps?.json ?? .null,
            "unexplained": .array(gaps.map { .string($0) }),
        ]
    }

    public var summary: String {
        var lines = [
            wasSealed
                ? "\(output): was sealed already, and is intact"
                : "\(output): sealed, \(exported) of \(counted(expected, "object")) in "
                    + "\(counted(payloadFiles, "file")), \(counted(payloadBytes, "byte"))"
        ]
        for omission in omissions {
            lines.append(
                "omitted: \(omission.count) × \(omission.reason)"
                    + (omission.accepted ? " (covered by the plan)" : " (NOT covered by the plan)"))
        }
        for gap in gaps.prefix(20) { lines.append("not explained: \(gap)") }
        if gaps.count > 20 { lines.append("… \(gaps.count) in all, see --json") }
        lines += stamps?.lines ?? []
        if sealedStatus == 2, omissions.contains(where: { !$0.accepted && $0.count > 0 }) {
            lines.append("the plan covers not all omissions: see \"exeat inspect\", exit status 2")
        }
        return lines.joined(separator: "\n")
    }
}
