public import Basics

/// `history.jsonl` in the folder of rehearsals: one line for each, for the trend and for predictions.
///
/// It is no evidence: the receipts are, and each line names its own by its digest.
public struct RehearsalHistory: Sendable {
    public struct Entry: Sendable {
        public let at: Timestamp
        public let bag: String
        public let status: Int32
        public let milliseconds: Int64
        public let objectiveSeconds: Int64
        /// nil where nothing was restored.
        public let rates: RehearsalRates?
        /// Whether all sources of the archive were restored.
        public let isWhole: Bool
        /// SHA-256 of the receipt.
        public let receipt: String
        /// Its file in the folder.
        public let file: String

        var json: JSON {
            var members: [JSON.Member] = [
                .init("at", .string(at.text)), .init("bag", .string(bag)),
                .init("status", .integer(Int64(status))),
                .init("milliseconds", .integer(milliseconds)),
                .init("objectiveSeconds", .integer(objectiveSeconds)),
                .init("receiptSha256", .string(receipt)), .init("receipt", .string(file)),
                .init("isWhole", .bool(isWhole)),
            ]
            if let rates { members.append(.init("rates", rates.json)) }
            return .object(members)
        }

        init(
            at: Timestamp, bag: String, status: Int32, milliseconds: Int64,
            objectiveSeconds: Int64, rates: RehearsalRates?, isWhole: Bool, receipt: String,
            file: String
        ) {
            self.at = at
            self.bag = bag
            self.status = status
            self.milliseconds = milliseconds
            self.objectiveSeconds = objectiveSeconds
            self.rates = rates
            self.isWhole = isWhole
            self.receipt = receipt
            self.file = file
        }

        init?(_ json: JSON) {
            guard let at = json["at"]?.string.flatMap({ Timestamp($0) }),
                let bag = json["bag"]?.string, let status = json["status"]?.integer,
                (0...255).contains(status),
                let milliseconds = json["milliseconds"]?.integer,
                let objective = json["objectiveSeconds"]?.integer,
                let receipt = json["receiptSha256"]?.string, let file = json["receipt"]?.string
            else { return nil }
            self.init(
                at: at, bag: bag, status: Int32(status), milliseconds: milliseconds,
                objectiveSeconds: objective, rates: json["rates"].flatMap { RehearsalRates($0) },
                isWhole: json["isWhole"]?.bool ?? false, receipt: receipt, file: file)
        }
    }

    public let entries: [Entry]
    private let path: String

    /// Lines that cannot be read (a crash cut one off) are left out.
    public init(in folder: String) {
        path = folder + "/history.jsonl"
        let bytes = (try? Files.read(path)) ?? []
        entries = bytes.split(separator: 0x0a).compactMap { line in
            (try? JSON(parsing: Array(line))).flatMap { Entry($0) }
        }
    }

    /// Rehearsals that restored everything: what to foretell from.
    private var whole: [Entry] {
        entries.filter { [0, 2, 4].contains($0.status) && $0.rates != nil && $0.isWhole }
    }

    public var latest: Entry? { whole.last }

    /// The largest rehearsal of at most half that size.
    func smaller(than rates: RehearsalRates) -> RehearsalRates? {
        whole.compactMap(\.rates).filter { $0.plainBytes <= rates.plainBytes / 2 }
            .max { $0.plainBytes < $1.plainBytes }
    }

    func add(_ entry: Entry) throws(Failure) {
        let lines = (entries + [entry]).map { $0.json.canonical + [0x0a] }
        try Files.write(lines.reduce([], +), to: path, mode: 0o600)
    }
}
