/// What somebody who relies on a receipt must know.
///
/// A receipt has the English sentence; reports know every one of them in their languages, so the list is
/// closed. A sentence that has once been signed stays in it: older receipts have the plural of one as well.
public struct Reservation: Sendable, Equatable {
    /// The sentences, with places `{0}`, `{1}`, … for values. `{0:one/several}` is a word that goes by the
    /// number in place 0.
    public enum Kind: String, Sendable, CaseIterable {
        // Any import
        case byCounts = "the target was compared by counts only"
        case notCompared = "the target was not compared"
        case notSet = "{0} {0:attribute/attributes} could not be set on the target"
        case omitted = "{0} {0:object was/objects were} omitted from the archive at export"
        case notImported =
            "{0} {0:source of the archive was/sources of the archive were} not imported"
        case setByHand = "set by hand what the target did not take"
        case expired =
            "accepted by {0} although the archive was to be restored before {1}: {2}"
        case older =
            "accepted by {0} although the archive is number {1} of its series; number {2} was imported here at {3}: {4}"
        case forked =
            "accepted by {0} although the archive is number {1} of its series, and does not go with number {2} that was imported here at {3}: {4}"
        // Trees, databases, logs
        case mergedOwners =
            "{0} {0:owner or group of the target stands/owners or groups of the target stand} for several of the source"
        case mergedRoles =
            "{0} {0:role of the target stands/roles of the target stand} for several of the source"
        case definitionsDiffer =
            "{0} {0:definition is/definitions are} printed otherwise by the target, which is of another major version than the source"
        case linesNotCounted =
            "the lines of {0} text log {0:file/files} could not be counted when {0:it was/they were} exported"
        case journalsUnused =
            "{0} journal {0:file that was kept as it is was/files that were kept as they are were} not imported: the plan asks for records alone"
        case digestsInRecords =
            "{0} {0:record of the journal holds/records of the journal hold} digests in place of values beyond 1 MiB"
        // Guests
        case clusterUnchanged =
            "the cluster's configuration was compared and not changed, for \"apply\" is not set: {0} {0:call/calls} would be made, which the report lists"
        case settingsLost =
            "{0} {0:setting of guests has/settings of guests have} no equivalent in their descriptions"
        case disksWithoutTransport =
            "the disks of a machine were not read again: the target names no transport"
        case filesWithoutTransport =
            "the files of a container were not read again: the target names no transport"
        case disksWithoutBackup =
            "the disks of a machine were not read again: no backup of it was made"
        case disksWithoutDigests =
            "disks of a machine were not compared: the archive has no digests of them"
        case filesWithoutBackup =
            "the files of a container were not read again: no backup of it was made"
        case filesNotInArchive =
            "the files of a container were not read again: the archive has no files of it"
        case filesLeftOut =
            "{0} {0:object of a container was/objects of a container were} not read again: the target leaves {0:it/them} out of every backup"
        // Rehearsals
        case damaged =
            "the archive did not pass its verification: {0} {0:fault/faults}; only what is intact was rehearsed"
        case notRehearsed =
            "{0} {0:source of the archive was/sources of the archive were} not rehearsed"
        case timeLimit = "the time limit ended the rehearsal"
        case notSetOnTargets = "{0} {0:attribute/attributes} could not be set on the targets"
        case clockAhead =
            "the {0:clock/clocks} of {0} {0:source was/sources were} ahead: the beginning of the export stands for {0:its moment/their moments}"
        case ageUnknown =
            "how old the data of {0} {0:source/sources} is, is not known: by the clock of this machine {0:its moment has/their moments have} not come yet"
        case unproven =
            "of {0} {0:guest/guests} nothing shows whether {0:its/their} system comes up"
        case noNetwork = "throw-away servers had no network of their own, only sockets"
        case emulated = "machines were emulated: their times are longer than with KVM"
        case restoredByCounts = "what was restored was compared by counts only"
        case restoredNotCompared = "what was restored was not compared"
    }

    public let kind: Kind
    public let values: [String]

    public init(_ kind: Kind, _ values: [String] = []) {
        self.kind = kind
        self.values = values
    }

    public init(_ kind: Kind, count: some BinaryInteger) { self.init(kind, [String(count)]) }

    /// Reads a sentence of a receipt; nil for one that is none of ours.
    public init?(parsing text: String) {
        for kind in Kind.allCases {
            for isOne in [true, false] {
                let literals = kind.literals(isOne: isOne)
                guard let values = Self.values(in: text, by: literals),
                    // One of a thing is written so only of one; of several, older receipts wrote one, too.
                    !isOne || values.first == "1" || literals == kind.literals(isOne: false)
                else { continue }
                self.kind = kind
                self.values = values
                return
            }
        }
        return nil
    }

    /// The sentence, as receipts have it.
    public var text: String {
        let literals = kind.literals(isOne: values.first == "1")
        var text = literals[0]
        for (place, literal) in literals.dropFirst().enumerated() {
            text += (values.indices.contains(place) ? values[place] : "?") + literal
        }
        return text
    }

    private static func values(in text: String, by literals: [String]) -> [String]? {
        guard text.hasPrefix(literals[0]) else { return nil }
        var rest = text.dropFirst(literals[0].count)
        var values: [String] = []
        for (place, literal) in literals.enumerated().dropFirst() {
            if place == literals.count - 1 {
                guard rest.hasSuffix(literal) else { return nil }
                values.append(String(rest.dropLast(literal.count)))
                rest = ""
            } else {
                guard let next = rest.firstRange(of: literal) else { return nil }
                values.append(String(rest[..<next.lowerBound]))
                rest = rest[next.upperBound...]
            }
        }
        // What has nothing in its place, or more behind it, is another sentence.
        return rest.isEmpty && values.allSatisfy { !$0.isEmpty } ? values : nil
    }
}

extension Reservation.Kind {
    /// What stands before, between and behind the values; places come in their order.
    fileprivate func literals(isOne: Bool) -> [String] {
        var literals = [""]
        for (number, part) in rawValue.split(separator: "{", omittingEmptySubsequences: false)
            .enumerated()
        {
            guard number > 0, let end = part.firstIndex(of: "}") else {
                literals[literals.count - 1] += part
                continue
            }
            let inside = part[..<end]
            if let mark = inside.firstIndex(of: ":") {
                let forms = inside[inside.index(after: mark)...].split(separator: "/")
                literals[literals.count - 1] += isOne ? forms[0] : forms[forms.count - 1]
            } else {
                literals.append("")
            }
            literals[literals.count - 1] += part[part.index(after: end)...]
        }
        return literals
    }
}
