import Basics

extension TrustedKeys {
    /// The trust file of these keys.
    public static func file(_ keys: [TrustedKey]) -> [UInt8] {
        let entries = keys.map { key -> JSON in
            [
                "principal": .string(key.pair.principal),
                "roles": PublicKeyPair.names(of: key.pair.roles),
                "ed25519": .string(key.pair.openSSHText),
                "mldsa65": .string(Base64.encode(key.pair.mldsa65)),
                "notBefore": key.notBefore.map { .string($0.text) } ?? .null,
                "notAfter": key.notAfter.map { .string($0.text) } ?? .null,
            ]
        }
        let document: JSON = ["exeat-trust": 1, "keys": .array(entries)]
        return Array((document.pretty + "\n").utf8)
    }

    /// What one or several documents that follow each other say.
    static func content(of bytes: [UInt8]) throws(Failure) -> Content {
        var content = Content()
        for document in documents(in: bytes) {
            do throws(Failure) {
                let document = try JSON(parsing: document)
                try document.requireKeys(["exeat-trust", "keys", "timestamps"], "the trust file")
                content.keys += try entries(of: document)
                if let timestamps = document["timestamps"] {
                    content.authorities.append(try authority(of: timestamps))
                }
            } catch {
                throw error.code == .trustInvalid
                    ? error : Failure(.trustInvalid, "a trust file is not valid", cause: error)
            }
        }
        return content
    }

    struct Content {
        var keys: [TrustedKey] = []
        var authorities: [TrustedAuthority] = []
    }

    private static func authority(of value: JSON) throws(Failure) -> TrustedAuthority {
        try value.requireKeys(
            ["certificates", "policies", "required"], "\"timestamps\" of the trust file")
        guard let certificates = value["certificates"]?.string,
            value["policies"]?.array.map({ $0.allSatisfy { $0.string != nil } }) ?? true,
            value["required"].map({ $0.bool != nil }) ?? true
        else {
            throw Failure(
                .trustInvalid, "\"timestamps\" of the trust file has a value of another kind",
                hint:
                    "Write \"certificates\" as PEM, \"policies\" as a list of texts, \"required\" "
                    + "as true or false.")
        }
        return TrustedAuthority(
            certificates: certificates,
            policies: (value["policies"]?.array ?? []).compactMap(\.string),
            isRequired: value["required"]?.bool ?? false)
    }

    private static func entries(of document: JSON) throws(Failure) -> [TrustedKey] {
        guard document["exeat-trust"] == 1, let entries = document["keys"]?.array else {
            throw Failure(.trustInvalid, "it is not a trust file of version 1")
        }
        var keys: [TrustedKey] = []
        for entry in entries { keys.append(try key(of: entry)) }
        return keys
    }

    private static func key(of entry: JSON) throws(Failure) -> TrustedKey {
        try entry.requireKeys(
            ["principal", "roles", "ed25519", "mldsa65", "notBefore", "notAfter"],
            "an entry of the trust file")
        let (principal, roles) = try PublicKeyPair.identity(of: entry)
        guard
            let ed25519 = entry["ed25519"]?.string
                .flatMap(PublicKeyPair.ed25519(openSSHText:)),
            Ed25519.isSound(ed25519)
        else {
            throw Failure(
                .trustInvalid, "the \"ed25519\" of \"\(principal)\" is missing or not a sound key",
                hint: "Write it as in a .pub file of OpenSSH, without a comment.")
        }
        guard let mldsa65 = entry["mldsa65"]?.string.flatMap({ Base64.decode($0) }),
            mldsa65.count == MLDSA.publicKeyLength
        else {
            throw Failure(
                .trustInvalid, "the \"mldsa65\" of \"\(principal)\" is missing or not a key",
                hint: "Write the 1952 raw bytes as base64.")
        }
        return TrustedKey(
            PublicKeyPair(principal: principal, roles: roles, ed25519: ed25519, mldsa65: mldsa65),
            notBefore: try moment("notBefore", of: entry, principal),
            notAfter: try moment("notAfter", of: entry, principal))
    }

    private static func moment(
        _ key: String, of entry: JSON, _ principal: String
    ) throws(Failure) -> Timestamp? {
        guard let value = entry[key], value != .null else { return nil }
        // A day that does not exist (30 February) would come back as another one.
        guard let text = value.string, let moment = Timestamp(text),
            text.hasPrefix(moment.date)
        else {
            throw Failure(
                .trustInvalid, "the \"\(key)\" of \"\(principal)\" is not a time",
                hint: "Write it in UTC, such as 2026-11-23T18:00:00Z.")
        }
        return moment
    }

    /// Cuts behind each brace that closes a document; what is left over is a document as well,
    /// so that the JSON parser refuses it.
    private static func documents(in bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var documents: [ArraySlice<UInt8>] = []
        var start = 0
        var depth = 0
        var inString = false
        var escaped = false
        for (index, byte) in bytes.enumerated() {
            if inString {
                if byte == 0x22 && !escaped { inString = false }
                escaped = byte == 0x5c && !escaped
                continue
            }
            switch byte {
            case 0x22: inString = true
            case 0x7b: depth += 1
            case 0x7d:
                depth -= 1
                guard depth == 0 else { continue }
                documents.append(bytes[start...index])
                start = index + 1
            default: break
            }
        }
        let rest = bytes[start...]
        let isSpace = rest.allSatisfy { [0x20, 0x0a, 0x0d, 0x09].contains($0) }
        if !isSpace || documents.isEmpty { documents.append(rest) }
        return documents
    }
}
