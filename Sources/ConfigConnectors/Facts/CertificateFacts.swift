import Basics
import Glibc
import Primitives

/// Certificates in the exported trees: whose they are, who issued them, until when they hold.
enum CertificateFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try document.source("certificate") { (items) throws(Failure) in
            var known: [[UInt8]: JSON] = [:]
            try FileWalk.directories(
                machine.paths, depth: 32, machine, passesClosed: true
            ) {
                (directory, names) throws(Failure) in
                for name in names {
                    let path = "\(directory)/\(name)"
                    let certificates = try certificates(in: path, machine)
                    for (number, certificate) in certificates.enumerated() {
                        let id = certificates.count == 1 ? path : "\(path)#\(number + 1)"
                        var facts = known[certificate]
                        if facts == nil { facts = try read(certificate, machine) }
                        known[certificate] = facts
                        guard let facts else { continue }
                        items.add(id, facts)
                    }
                }
                return true
            }
            return true
        }
    }

    private static let largestFile = 4 << 20

    /// The certificates of a file in DER; none for all that is no file of certificates.
    private static func certificates(
        in path: String, _ machine: Machine
    ) throws(Failure) -> [[UInt8]] {
        let here = machine.isLive ? path : machine.root + path
        var status = stat()
        guard unsafe lstat(here, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size > 100, status.st_size <= largestFile,
            let bytes = try? Files.read(here, limit: largestFile)
        else { return [] }
        let isBinary = [".der", ".cer", ".crt"].contains { path.lowercased().hasSuffix($0) }
        if isBinary, bytes[0] == 0x30 { return [bytes] }
        return pem(bytes)
    }

    private static let begin = Array("-----BEGIN CERTIFICATE-----".utf8)
    private static let end = Array("-----END CERTIFICATE-----".utf8)

    /// The blocks of a text that are certificates (RFC 7468, section 5).
    static func pem(_ bytes: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var position = 0
        while let start = place(of: begin, in: bytes, from: position),
            let stop = place(of: end, in: bytes, from: start)
        {
            let text = bytes[(start + begin.count)..<stop].filter { $0 > 0x20 }
            if let der = Base64.decode(String(decoding: text, as: UTF8.self)) { found.append(der) }
            position = stop + end.count
        }
        return found
    }

    private static func place(of word: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        unsafe bytes.withUnsafeBytes { all in
            guard start + word.count <= all.count, let base = all.baseAddress else { return nil }
            let hit = unsafe memmem(base + start, all.count - start, word, word.count)
            return unsafe hit.map { unsafe UnsafeRawPointer($0) - base }
        }
    }

    private static func read(_ der: [UInt8], _ machine: Machine) throws(Failure) -> JSON {
        let digest = SHA256.hash(der).hex
        let options = [
            "x509", "-inform", "DER", "-noout", "-subject", "-issuer", "-serial", "-startdate",
            "-enddate", "-ext", "subjectAltName", "-nameopt", "RFC2253,-esc_msb",
        ]
        let output: [UInt8]?
        do throws(Failure) {
            output = try machine.output("openssl", options, input: der)
        } catch {
            if error.code == .cancelled { throw error }
            return ["sha256": .string(digest), "unreadable": .bool(true)]
        }
        guard let output else { throw Failure(.notFound, "\"openssl\" is not installed") }
        var members = fields(String(decoding: output, as: UTF8.self))
        members.append(.init("sha256", .string(digest)))
        return .object(members)
    }

    /// What `openssl x509` prints, with times as in all documents.
    static func fields(_ text: String) -> [JSON.Member] {
        var members: [JSON.Member] = []
        var isNames = false
        let keys = [
            "subject": "subject", "issuer": "issuer", "serial": "serial",
            "notBefore": "not-before", "notAfter": "not-after",
        ]
        for line in Text.lines(text) {
            if line.hasPrefix("X509v3 Subject Alternative Name") {
                isNames = true
            } else if isNames, line.hasPrefix("    ") {
                let names = line.split(separator: ",").map { Text.trimmed($0) }
                members.append(.init("names", .strings(names.sorted())))
                isNames = false
            } else if let (name, value) = Text.halves(line, at: 0x3d), let key = keys[name] {
                members.append(
                    .init(key, .string(key.hasPrefix("not-") ? time(value) ?? value : value)))
            }
        }
        return members
    }

    /// `Nov 27 01:00:00 2026 GMT` as `2026-11-27T01:00:00Z`.
    static func time(_ text: String) -> String? {
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let words = Text.words(text)
        guard words.count == 5, words[4] == "GMT", let month = months.firstIndex(of: words[0])
        else {
            return nil
        }
        func two(_ text: String) -> String { text.count == 1 ? "0" + text : text }
        return "\(words[3])-\(two(String(month + 1)))-\(two(words[1]))T\(words[2])Z"
    }
}
