import Basics
import Primitives

/// The rules of RFC 8493 and its drafts, one after the other.
struct ForeignExamination {
    let listing: ForeignListing
    var problems: [BagProblem]
    var warnings: [BagProblem] = []
    var leadsOutOnWindows = false
    private var version = ""
    private var encoding = ForeignEncoding.utf8
    /// Digests wanted of each file, by algorithm.
    private var wanted: [[UInt8]: [DigestAlgorithm: String]] = [:]

    init(_ listing: ForeignListing) {
        self.listing = listing
        problems = listing.problems
    }

    private mutating func blame(_ path: String, _ code: Failure.Code, _ what: String) {
        problems.append(BagProblem(path, Failure(code, "\"\(path)\" \(what)")))
    }

    private mutating func warn(_ path: String, _ code: Failure.Code, _ what: String) {
        warnings.append(BagProblem(path, Failure(code, "\"\(path)\" \(what)")))
    }

    /// Throws only for what makes all further judgement pointless.
    mutating func run() throws(Failure) {
        try readDeclaration()
        let payload = try manifests(named: "manifest-")
        guard !payload.isEmpty else {
            throw Failure(.bagManifestMissing, "the bag has no payload manifest")
        }
        var listed: [Set<[UInt8]>] = []
        for (file, algorithm) in payload { listed.append(try readManifest(file, algorithm)) }
        let all = listed.reduce(into: Set()) { $0.formUnion($1) }
        for path in listing.files where path.starts(with: "data/".utf8) {
            let isListed =
                version == "1.0" ? listed.allSatisfy { $0.contains(path) } : all.contains(path)
            if !isListed {
                blame(BagPath.shown(path), .bagFileUnexpected, "is not listed in a manifest")
            }
        }
        warnOfTwins(all)
        for (file, algorithm) in try manifests(named: "tagmanifest-") {
            _ = try readManifest(file, algorithm)
        }
        try readFetch()
        try compareDigests()
    }

    // MARK: - bagit.txt

    private mutating func readDeclaration() throws(Failure) {
        guard let bytes = try listing.content("bagit.txt") else {
            throw Failure(.bagDeclaration, "the bag has no \"bagit.txt\"")
        }
        guard let text = String(validating: bytes, as: UTF8.self),
            !bytes.starts(with: [0xef, 0xbb, 0xbf])
        else { throw Failure(.bagEncoding, "\"bagit.txt\" is not UTF-8 without a mark") }
        let lines = ForeignEncoding.lines(text).map { String($0) }
        guard lines.count == 2, let version = Self.value(lines[0], "BagIt-Version"),
            let name = Self.value(lines[1], "Tag-File-Character-Encoding")
        else { throw Failure(.bagDeclaration, "\"bagit.txt\" is not a declaration") }
        guard ["0.93", "0.94", "0.95", "0.96", "0.97", "1.0"].contains(version) else {
            throw Failure(.bagDeclaration, "BagIt \"\(version)\" is not a version there is")
        }
        guard let encoding = ForeignEncoding(name: name) else {
            throw Failure(.bagEncoding, "tag files in \"\(name)\" cannot be read")
        }
        self.version = version
        self.encoding = encoding
    }

    /// `LABEL: VALUE`, with not one blank more.
    private static func value(_ line: String, _ label: String) -> String? {
        let start = label + ": "
        guard line.hasPrefix(start) else { return nil }
        let value = String(line.dropFirst(start.count))
        return value.isEmpty || value.contains(" ") || value.contains("\t") ? nil : value
    }

    private func text(_ file: String) throws(Failure) -> String? {
        guard let bytes = try listing.content(file) else { return nil }
        guard let text = encoding.decode(bytes) else {
            throw Failure(.bagEncoding, "\"\(file)\" is not in the declared encoding")
        }
        return text
    }

    // MARK: - Manifests

    private mutating func manifests(
        named prefix: String
    ) throws(Failure) -> [(String, DigestAlgorithm)] {
        var found: [(String, DigestAlgorithm)] = []
        for path in listing.files where !path.contains(0x2f) {
            let name = String(decoding: path, as: UTF8.self)
            guard name.hasPrefix(prefix), name.hasSuffix(".txt") else { continue }
            let word = name.dropFirst(prefix.count).dropLast(4)
            guard let algorithm = DigestAlgorithm(rawValue: word.lowercased()) else {
                throw Failure(.bagManifestUnsupported, "\"\(name)\" is of an unknown algorithm")
            }
            found.append((name, algorithm))
        }
        return found.sorted { $0.0 < $1.0 }
    }

    /// The paths that it lists; those that lead out of the bag are left out and never looked up.
    private mutating func readManifest(
        _ file: String, _ algorithm: DigestAlgorithm
    ) throws(Failure) -> Set<[UInt8]> {
        var listed: [[UInt8]: String] = [:]
        var plain = 0
        var dotted = 0
        for line in ForeignEncoding.lines(try text(file) ?? "") {
            let digest = String(line.prefix { $0 != " " && $0 != "\t" }).lowercased()
            var rest = line.drop { $0 != " " && $0 != "\t" }.drop { $0 == " " || $0 == "\t" }
            guard Hex.decode(digest)?.count == algorithm.size, !rest.isEmpty else {
                blame(file, .bagManifestMalformed, "has a line that is not a digest and a path")
                continue
            }
            if rest.first == "*" {
                rest = rest.dropFirst()
                warn(file, .bagManifestMalformed, "has the binary mark of md5sum")
            }
            let path = ForeignPath(String(rest), version: version)
            if path.hadDotSlash { dotted += 1 } else { plain += 1 }
            guard isInside(path, file) else { continue }
            if let other = listed.updateValue(digest, forKey: path.bytes) {
                if other != digest || version == "1.0" {
                    blame(file, .bagManifestDuplicate, "lists \"\(path.shown)\" twice")
                } else {
                    warn(file, .bagManifestDuplicate, "lists \"\(path.shown)\" twice")
                }
            }
            if path.isSystemFile {
                warn(path.shown, .bagFileUnexpected, "is made and lost by operating systems")
            }
            wanted[path.bytes, default: [:]][algorithm] = digest
        }
        // One stray "./" names its file well enough; a manifest full of them is another tool's.
        if dotted > 0, plain == 0 { warn(file, .bagPathUnsafe, "has relative paths throughout") }
        return Set(listed.keys)
    }

    private mutating func isInside(_ path: ForeignPath, _ file: String) -> Bool {
        if path.leadsOut {
            blame(file, .bagPathUnsafe, "lists \"\(path.shown)\"")
            return false
        }
        if path.leadsOutOnWindows {
            leadsOutOnWindows = true
            warn(file, .bagPathUnsafe, "lists \"\(path.shown)\"")
            return false
        }
        return true
    }

    private mutating func warnOfTwins(_ paths: Set<[UInt8]>) {
        var seen: [String: [UInt8]] = [:]
        for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let text = String(decoding: path, as: UTF8.self).lowercased()
            if let twin = seen.updateValue(path, forKey: text) {
                warn(
                    BagPath.shown(path), .bagNameTwins,
                    "is the same as \"\(BagPath.shown(twin))\" where case or accents are folded")
            }
        }
    }

    // MARK: - fetch.txt, bag-info.txt, digests

    private mutating func readFetch() throws(Failure) {
        for line in ForeignEncoding.lines(try text("fetch.txt") ?? "") {
            let fields = String(line).split(maxSplits: 2, omittingEmptySubsequences: true) {
                $0 == " " || $0 == "\t"
            }
            guard fields.count == 3, fields[1] == "-" || Int64(fields[1]) != nil else {
                blame("fetch.txt", .bagManifestMalformed, "has a line of another form")
                continue
            }
            let path = ForeignPath(String(fields[2]), version: version)
            guard isInside(path, "fetch.txt") else { continue }
            if wanted[path.bytes] == nil {
                blame(path.shown, .bagFileUnexpected, "is to be fetched but not listed")
            }
        }
    }

    private mutating func compareDigests() throws(Failure) {
        var size: Int64 = 0
        var count: Int64 = 0
        for (path, digests) in wanted.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let shown = BagPath.shown(path)
            guard listing.files.contains(path) else {
                blame(shown, .bagFileMissing, "is listed but not there")
                continue
            }
            let found = try listing.read(path, Array(digests.keys))
            if path.starts(with: "data/".utf8) {
                size += found.size
                count += 1
            }
            if found.digests != digests {
                blame(shown, .bagFileChanged, "is not what its manifests say")
            }
        }
        let infos = ["bag-info.txt", "package-info.txt"]
        for file in infos {
            for line in ForeignEncoding.lines(try text(file) ?? "") {
                let parts = String(line).split(separator: ":", maxSplits: 1)
                guard parts.count == 2, parts[0] == "Payload-Oxum" else { continue }
                let value = String(parts[1]).split(separator: " ").joined()
                if problems.isEmpty, !leadsOutOnWindows, value != "\(size).\(count)" {
                    blame(file, .bagInfoMismatch, "says \(value), the payload is \(size).\(count)")
                }
            }
        }
    }
}
