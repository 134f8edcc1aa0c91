public import Basics
import Primitives

extension Seal {
    /// Reads a seal whose signatures were found good. Throws `.sealMalformed` for a field that is
    /// missing, of another type, or unknown outside `ext`.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        let document: JSON
        do throws(Failure) { document = try JSON(parsing: bytes) } catch {
            throw Failure(.sealMalformed, "the seal is not JSON", cause: error)
        }
        // One statement has one form: what is signed is what every reader sees.
        guard document.canonical == bytes else { throw SealFields.malformed("is not canonical") }
        let statement = try SealFields(
            document, "", ["_type", "subject", "predicateType", "predicate"])
        guard try statement.text("_type") == Self.statementType,
            try statement.text("predicateType") == Self.predicateType
        else { throw SealFields.malformed("is of another type") }
        let subjects = try statement.list("subject")
        guard subjects.count == 1 else { throw SealFields.malformed("has not one subject") }
        let subject = try SealFields(subjects[0], "subject.", ["name", "digest"])
        guard try subject.text("name") == Self.subjectName else {
            throw SealFields.malformed("is about another file than \"\(Self.subjectName)\"")
        }
        try self.init(
            subject: subject.nested("digest", ["sha256"]).digest("sha256"),
            statement.nested(
                "predicate",
                [
                    "bag", "name", "createdAt", "run", "journal", "payload", "signer", "keys",
                    "outcome", "tool", "planSha256",
                ],
                optional: [
                    "openings", "timestamps", "series", "sequence", "previous", "restoreBefore",
                    "agreement",
                ]))
    }

    private init(subject: Digest256, _ predicate: SealFields) throws(Failure) {
        let urn = "urn:uuid:"
        let bag = try predicate.text("bag")
        guard bag.hasPrefix(urn), BagIdentifier.isValid(String(bag.dropFirst(urn.count))),
            let createdAt = Timestamp(try predicate.text("createdAt")),
            let name = try? BagName(try predicate.text("name"))
        else { throw SealFields.malformed("has no good \"bag\", \"name\" or \"createdAt\"") }
        let run = try predicate.nested("run", ["purpose", "id"])
        let journal = try predicate.nested("journal", ["entries", "bytes", "head", "root"])
        let payload = try predicate.nested("payload", ["files", "bytes"])
        let signer = try predicate.nested("signer", ["principal", "ed25519", "mldsa65"])
        let outcome = try predicate.nested(
            "outcome", ["status", "expected", "exported", "omitted"])
        let tool = try predicate.nested("tool", ["name", "version"])
        let status = try outcome.count("status")
        guard status == 0 || status == 2 else {
            throw SealFields.malformed("has an outcome that no sealed run can have")
        }
        var restoreBefore: Timestamp?
        if predicate.has("restoreBefore") {
            restoreBefore = Timestamp(try predicate.text("restoreBefore"))
            guard restoreBefore != nil else {
                throw SealFields.malformed("has a wrong value for \"restoreBefore\"")
            }
        }
        self.init(
            subject: subject, bag: String(bag.dropFirst(urn.count)), name: name,
            createdAt: createdAt, purpose: try run.text("purpose"), run: try run.text("id"),
            journal: SealedJournal(
                entries: try journal.count("entries"), bytes: try journal.count("bytes"),
                head: try journal.digest("head"), root: try journal.digest("root")),
            payload: BagInfo.Oxum(
                bytes: try payload.count("bytes"), files: try payload.count("files")),
            signer: VerifiedSigner(
                principal: try signer.text("principal"), ed25519: try signer.text("ed25519"),
                mldsa65: try signer.text("mldsa65")),
            keys: try Self.files("keys", of: predicate),
            outcome: Outcome(
                status: Int(status), expected: try outcome.count("expected"),
                exported: try outcome.count("exported"), omitted: try outcome.count("omitted")),
            tool: (try tool.text("name"), try tool.text("version")),
            planSha256: try predicate.digest("planSha256"),
            openings: predicate.has("openings") ? try Self.files("openings", of: predicate) : [],
            timestamps: predicate.has("timestamps") ? try predicate.count("timestamps") : 0,
            series: try Self.series(of: predicate, urn), restoreBefore: restoreBefore)
        if predicate.has("agreement") {
            agreement = try predicate.nested("agreement", ["sha256"]).digest("sha256")
        }
        let names = openings.map(\.name)
        guard
            names
                == StampPlace.all.filter({ $0.kind == .opening }).map(\.token)
                .filter(names.contains)
        else { throw SealFields.malformed("lists other time-stamps than open a run") }
    }

    private static func files(_ key: String, of predicate: SealFields) throws(Failure) -> [Key] {
        var files: [Key] = []
        for element in try predicate.list(key) {
            let file = try SealFields(element, key + ".", ["name", "sha256"])
            files.append(Key(name: try file.text("name"), sha256: try file.digest("sha256")))
        }
        guard Set(files.map(\.name)).count == files.count else {
            throw SealFields.malformed("lists a file twice in \"\(key)\"")
        }
        return files
    }

    private static func series(
        of predicate: SealFields, _ urn: String
    ) throws(Failure) -> Series? {
        guard predicate.has("series") || predicate.has("sequence") || predicate.has("previous")
        else { return nil }
        let id = try predicate.text("series")
        let sequence = try predicate.count("sequence")
        var previous: Digest256?
        if predicate.has("previous") {
            previous = try predicate.nested("previous", ["sha256"]).digest("sha256")
        }
        let bag = try predicate.text("bag")
        guard id.hasPrefix(urn), BagIdentifier.isValid(String(id.dropFirst(urn.count))),
            sequence >= 1, (sequence == 1) == (previous == nil), (sequence == 1) == (id == bag)
        else { throw SealFields.malformed("has a place in a series that cannot be") }
        return Series(
            id: String(id.dropFirst(urn.count)), sequence: sequence, previous: previous)
    }
}

/// One object of the seal, whose members are all known and all there.
private struct SealFields {
    private let value: JSON
    private let place: String

    init(
        _ value: JSON, _ place: String, _ required: [String], optional: [String] = []
    ) throws(Failure) {
        self.value = value
        self.place = place
        guard let members = value.members else { throw Self.malformed("lacks \"\(place)\"") }
        for key in required where value[key] == nil {
            throw Self.malformed("lacks \"\(place)\(key)\"")
        }
        for member in members
        where member.key != "ext" && !required.contains(member.key)
            && !optional.contains(member.key)
        {
            throw Self.malformed("has an unknown field \"\(place)\(member.key)\"")
        }
    }

    static func malformed(_ what: String) -> Failure {
        Failure(.sealMalformed, "the seal \(what)")
    }

    func has(_ key: String) -> Bool { value[key] != nil }

    func text(_ key: String) throws(Failure) -> String {
        guard let text = value[key]?.string else { throw wrong(key) }
        return text
    }

    func count(_ key: String) throws(Failure) -> Int64 {
        guard let number = value[key]?.integer, number >= 0 else { throw wrong(key) }
        return number
    }

    func digest(_ key: String) throws(Failure) -> Digest256 {
        guard let digest = Digest256(hex: try text(key)) else { throw wrong(key) }
        return digest
    }

    func list(_ key: String) throws(Failure) -> [JSON] {
        guard let list = value[key]?.array else { throw wrong(key) }
        return list
    }

    func nested(
        _ key: String, _ required: [String], optional: [String] = []
    ) throws(Failure) -> SealFields {
        try SealFields(value[key] ?? .null, "\(place)\(key).", required, optional: optional)
    }

    private func wrong(_ key: String) -> Failure {
        Self.malformed("has a wrong value for \"\(place)\(key)\"")
    }
}
