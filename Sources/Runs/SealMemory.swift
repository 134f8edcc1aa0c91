import Bags
import Basics
import Glibc
import Manifests
import Primitives

/// The newest archive of each series that was imported here: what keeps an old good archive from
/// passing for the newest.
///
/// A file of JSON: `{"exeat-seen":1,"series":[{"series","signer","sequence","seal","seenAt"}]}`.
struct SealMemory: Sendable {
    let path: String
    private var entries: [Entry]

    private struct Entry: Sendable {
        let series: String
        let signer: String
        let sequence: Int64
        let seal: String
        let seenAt: String
    }

    /// `$XDG_STATE_HOME/exeat/seen.json`, or below `~/.local/state`; nil without a home.
    static var standardPath: String? {
        func variable(_ name: String) -> String? {
            unsafe getenv(name).map { unsafe String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        if let state = variable("XDG_STATE_HOME") { return state + "/exeat/seen.json" }
        return variable("HOME").map { $0 + "/.local/state/exeat/seen.json" }
    }

    /// Reads the memory; none has been kept yet where there is no file. Throws `.jsonMalformed` for
    /// one that cannot be read: forgetting would be worse.
    init(_ path: String) throws(Failure) {
        self.path = path
        guard Files.exists(path) else {
            entries = []
            return
        }
        let damaged = Failure(
            .jsonMalformed, "the memory of earlier archives \"\(path)\" is damaged",
            hint: "Restore it from a copy, or move it away; then older archives are not recognised."
        )
        let bytes = try Files.read(path, limit: 16 << 20)
        guard let document = try? JSON(parsing: bytes),
            document["exeat-seen"] == 1, let list = document["series"]?.array
        else { throw damaged }
        var entries: [Entry] = []
        for element in list {
            guard let series = element["series"]?.string, let signer = element["signer"]?.string,
                let sequence = element["sequence"]?.integer, let seal = element["seal"]?.string,
                let seenAt = element["seenAt"]?.string
            else { throw damaged }
            entries.append(
                Entry(
                    series: series, signer: signer, sequence: sequence, seal: seal, seenAt: seenAt))
        }
        self.entries = entries
    }

    private func entry(of seal: Seal) -> Entry? {
        guard let series = seal.series else { return nil }
        return entries.first { $0.series == series.id && $0.signer == seal.signer.principal }
    }

    /// Why an archive does not go with those seen before: `.sealReplayed` for one that is older,
    /// `.sealForked` for one that contradicts; and what is reserved if it is taken all the same.
    func doubt(_ seal: Seal, digest: Digest256) -> Doubt? {
        guard let series = seal.series, let seen = entry(of: seal) else { return nil }
        let values = [String(series.sequence), String(seen.sequence), seen.seenAt]
        guard series.sequence >= seen.sequence else {
            return Doubt(
                failure: Failure(
                    .sealReplayed,
                    "the archive is number \(series.sequence) of its series; number \(seen.sequence) "
                        + "was imported here at \(seen.seenAt)",
                    hint: "Use the newest archive."),
                kind: .older, values: values)
        }
        let contradicts =
            series.sequence == seen.sequence
            ? digest.hex != seen.seal
            : series.sequence == seen.sequence + 1 && series.previous?.hex != seen.seal
        guard contradicts else { return nil }
        return Doubt(
            failure: Failure(
                .sealForked,
                "the archive is number \(series.sequence) of its series, and does not go with number "
                    + "\(seen.sequence) that was imported here at \(seen.seenAt)",
                hint: "Ask the exporter which of the two is right."),
            kind: .forked, values: values)
    }

    struct Doubt {
        let failure: Failure
        let kind: Reservation.Kind
        let values: [String]
    }

    /// Remembers the archive, unless a newer one is known.
    func remember(_ seal: Seal, digest: Digest256, at moment: Timestamp) throws(Failure) {
        guard let series = seal.series else { return }
        if let seen = entry(of: seal), seen.sequence >= series.sequence { return }
        try Files.makeDirectory(Files.parent(of: path), mode: 0o700)
        // Another import may have remembered something in between.
        let lock = try Descriptor(opening: path + ".lock", O_RDWR | O_CREAT)
        while try !lock.lock() { usleep(20_000) }
        let fresh = try SealMemory(path)
        if let seen = fresh.entry(of: seal), seen.sequence >= series.sequence { return }
        var kept = fresh.entries.filter {
            $0.series != series.id || $0.signer != seal.signer.principal
        }
        kept.append(
            Entry(
                series: series.id, signer: seal.signer.principal, sequence: series.sequence,
                seal: digest.hex, seenAt: moment.text))
        let document: JSON = [
            "exeat-seen": 1,
            "series": .array(
                kept.map {
                    [
                        "series": .string($0.series), "signer": .string($0.signer),
                        "sequence": .integer($0.sequence), "seal": .string($0.seal),
                        "seenAt": .string($0.seenAt),
                    ]
                }),
        ]
        try Files.write(Array((document.pretty + "\n").utf8), to: path, mode: 0o600)
    }
}

/// What two people accept together against a rule, and why.
public struct Exception: Sendable {
    /// An archive of which a newer one was seen, or that contradicts one.
    public var acceptsOlder = false
    /// An archive that was to be restored before now.
    public var acceptsExpired = false
    public var approvers: [String] = []
    public var reason = ""

    public init() {}

    /// Throws `.usage` unless two different people say why.
    func check() throws(Failure) {
        guard acceptsOlder || acceptsExpired else {
            guard approvers.isEmpty, reason.isEmpty else {
                throw Failure(
                    .usage, "--approved-by and --reason are for --accept-older and --accept-expired"
                )
            }
            return
        }
        let names = Set(approvers.map { $0.lowercased() })
        guard names.count >= 2, names.count == approvers.count, !names.contains(""), !reason.isEmpty
        else {
            throw Failure(
                .usage, "an exception needs two different people and a reason",
                hint: "Give --approved-by NAME twice and --reason TEXT: the receipt names them.")
        }
    }

    /// For the receipt.
    func reservation(_ kind: Reservation.Kind, _ values: [String]) -> Reservation {
        Reservation(
            kind, [approvers.joined(separator: " and ")] + values + [reason])
    }
}
