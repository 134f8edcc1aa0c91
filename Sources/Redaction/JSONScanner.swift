/// Reads JSON (RFC 8259) for the ranges of its values; nothing is built.
///
/// A value is judged by its name, by the names around it where its own says nothing (`"password": {"value": …}`),
/// and by its neighbours (`{"name": "DB_PASSWORD", "value": …}`, as Kubernetes and Terraform have it).
struct JSONScanner {
    /// An object or array that is open.
    private struct Level {
        let isObject: Bool
        /// Whether it is an element of an array, and not the value of a name.
        let isElement: Bool
        /// The name under which it stands, and what that says.
        let name: Range<Int>?
        let sensitivity: Sensitivity
        var key: Range<Int>?
        /// Values of `name` and `value` so far.
        var named: Range<Int>?
        var values: [(range: Range<Int>, isString: Bool)] = []
        var strings: [Range<Int>] = []
        /// The last element, where it was an option of a command.
        var option: Range<Int>?
        var isKey = false
        var isSecretManifest = false
        var isSensitive = false
        var isJWK = false
        var jwk: [Range<Int>] = []
    }

    private let bytes: [UInt8]
    private let scan: TextScan
    private var position = 0
    private(set) var spots: Spots
    private var levels: [Level] = []
    /// Kubernetes: the document has `"kind": "Secret"` somewhere.
    private let hasSecretKind: Bool
    /// Terraform: what its generators have made stands under `result`.
    private let hasGenerated: Bool
    /// Terraform: what is read from or written to a vault stands under `data_json`.
    private let hasGenericSecrets: Bool
    private var comments: LineScanner

    init(_ scan: TextScan) {
        self.scan = scan
        bytes = scan.bytes
        spots = Spots(scan.bytes)
        comments = LineScanner(scan)
        hasGenerated = scan.bytes.position(of: Array("\"random_password\"".utf8), from: 0) != nil
        hasGenericSecrets =
            scan.bytes.position(of: Array("\"vault_generic_secret\"".utf8), from: 0) != nil
            || scan.bytes.position(of: Array("\"vault_kv_secret".utf8), from: 0) != nil
        hasSecretKind = scan.bytes.position(of: Array("\"Secret\"".utf8), from: 0) != nil
    }

    /// False where the text is not JSON: then nothing that was found counts.
    mutating func run() -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == 0x7b || bytes[position] == 0x5b else {
            return false
        }
        guard value() else { return false }
        while let top = levels.last {
            guard levels.count < 10_000, step(top.isObject) else { return false }
        }
        skipSpace()
        // JSON Lines: one document follows the other.
        while position < bytes.count {
            guard bytes[position] == 0x7b || bytes[position] == 0x5b, value() else { return false }
            while let top = levels.last {
                guard levels.count < 10_000, step(top.isObject) else { return false }
            }
            skipSpace()
        }
        spots.add(contentsOf: comments.spots)
        return true
    }

    /// Comments are white space here: Orthanc and many others allow them.
    private mutating func skipSpace() {
        while position < bytes.count {
            if bytes[position].isSpaceOrBreak {
                position += 1
            } else if bytes.has("//", at: position) {
                let end = bytes.endOfLine(position)
                comments.scan(position..<end)
                position = end
            } else if bytes.has("/*", at: position),
                let end = bytes.position(of: [0x2a, 0x2f], from: position + 2)
            {
                comments.scan((position + 2)..<end)
                position = end + 2
            } else if position == 0, bytes.has([0xef, 0xbb, 0xbf], at: 0) {
                position = 3
            } else {
                return
            }
        }
    }

    /// One member, element or end of what is open.
    private mutating func step(_ isObject: Bool) -> Bool {
        skipSpace()
        guard position < bytes.count else { return false }
        if bytes[position] == (isObject ? 0x7d : 0x5d) {
            position += 1
            close()
            return true
        }
        if bytes[position] == 0x2c {
            position += 1
            skipSpace()
        }
        guard position < bytes.count else { return false }
        if isObject {
            guard let key = string() else { return false }
            skipSpace()
            guard position < bytes.count, bytes[position] == 0x3a else { return false }
            position += 1
            levels[levels.count - 1].key = key
        }
        return value()
    }

    private mutating func string() -> Range<Int>? {
        guard position < bytes.count, bytes[position] == 0x22 else { return nil }
        let start = position + 1
        var end = start
        while end < bytes.count, bytes[end] != 0x22 { end += bytes[end] == 0x5c ? 2 : 1 }
        guard end < bytes.count else { return nil }
        position = end + 1
        return start..<end
    }

    private mutating func value() -> Bool {
        skipSpace()
        guard position < bytes.count else { return false }
        switch bytes[position] {
        case 0x7b, 0x5b:
            let isObject = bytes[position] == 0x7b
            position += 1
            levels.append(
                Level(
                    isObject: isObject, isElement: levels.last.map { !$0.isObject } ?? false,
                    name: levels.last?.key ?? levels.last?.name,
                    sensitivity: context()))
            return true
        case 0x22:
            guard let range = string() else { return false }
            scalar(range, isString: true)
            return true
        default:
            let start = position
            while position < bytes.count,
                bytes[position].isWordOrDash || bytes[position] == 0x2b || bytes[position] == 0x2e
            {
                position += 1
            }
            guard position > start else { return false }
            scalar(start..<position, isString: false)
            return true
        }
    }

    /// What the names say about the value that comes next.
    private func context() -> Sensitivity {
        guard let top = levels.last else { return .neutral }
        guard top.isObject, let key = top.key else { return top.sensitivity }
        // "p\\u0061ssword" is a name like any other.
        let name =
            bytes[key].contains(0x5c)
            ? KeyName(Nested.unescaped(key, of: bytes).bytes) : KeyName(bytes[key])
        let own = scan.kind.sensitivity(of: name)
        let words = name.words.joined()
        if hasSecretKind, words == "data" || words == "stringdata" { return .secret(.secret) }
        if hasSecretKind, let above = top.name,
            ["data", "stringdata"].contains(KeyName(bytes[above]).words.joined()),
            !["crt", "cert"].contains(name.words.last)
        {
            return .secret(.secret)
        }
        if hasGenerated, words == "result" { return .secret(.password) }
        if hasGenericSecrets, words == "datajson" { return .secret(.secret) }
        if ContainerNames.holders.contains(words) { return .secret(.password) }
        if own == .neutral || own == .suspicious(.symmetricKey), !top.isElement,
            let above = top.name
        {
            let above = KeyName(bytes[above])
            if let found = name.sensitivity(below: above) { return found }
            if let found = ContainerNames.member(name, of: above) { return found }
        }
        switch (own, top.sensitivity) {
        case (.neutral, .secret), (.neutral, .suspicious):
            return ContainerNames.carriers.contains(words)
                || ContainerNames.isHolder(top.name.map { bytes[$0] })
                ? top.sensitivity : .neutral
        default: return own
        }
    }

    private mutating func scalar(_ range: Range<Int>, isString: Bool) {
        guard let top = levels.last else { return }
        let sensitivity = context()
        judge(range, sensitivity, name: top.key ?? top.name, isString: isString)
        let index = levels.count - 1
        if !top.isObject {
            guard isString else { return }
            if levels[index].strings.count < 4 { levels[index].strings.append(range) }
            // ["Authorization", "…"]
            if levels[index].strings.count == 2,
                HeaderNames.isSecret(bytes[levels[index].strings[0]])
            {
                judge(range, .secret(.token), name: levels[index].strings[0], isString: true)
            }
            // Arguments of a command: ["--password", "…"].
            if let option = levels[index].option {
                let name = KeyName(bytes[option])
                if case .secret = name.sensitivity {
                    judge(range, name.sensitivity, name: option, isString: true)
                }
            }
            levels[index].option =
                bytes[range].first == 0x2d && !bytes[range].contains(0x3d) ? range : nil
            return
        }
        guard let key = top.key else { return }
        switch bytes.word(key) {
        case "name", "key", "id", "property", "parameter", "variable", "parameterkey", "setting",
            "macro", "@name", "@key", "nom", "cle", "clé", "libelle":
            levels[index].named = range
        case "value", "val", "default", "content", "parametervalue", "current_value",
            "defaultvalue", "text", "#text", "valeur":
            levels[index].values.append((range, isString))
        // {"type": "password", "value": …}
        case "type" where levels[index].named == nil:
            if case .secret = KeyName(bytes[range]).sensitivity { levels[index].named = range }
        case "sensitive": levels[index].isSensitive = bytes.word(range) == "true"
        case "kty": levels[index].isJWK = true
        case "d", "p", "q", "dp", "dq", "qi", "k", "oth": levels[index].jwk.append(range)
        default: break
        }
    }

    private mutating func judge(
        _ range: Range<Int>, _ sensitivity: Sensitivity, name: Range<Int>?, isString: Bool
    ) {
        guard isString else {
            for (part, secretClass) in Value.secrets(in: range, of: bytes, sensitivity) {
                spots.add(
                    part, secretClass, "key-name", key: name.map { bytes.text($0) },
                    needsQuotes: true)
            }
            return
        }
        scan.judge(
            Nested.unescaped(range, of: bytes), sensitivity, name: name.map { bytes.text($0) },
            into: &spots)
    }

    private mutating func close() {
        guard let level = levels.popLast() else { return }
        if let named = level.named, !level.values.isEmpty {
            let sensitivity = scan.kind.sensitivity(named: bytes[named])
            for value in level.values {
                judge(value.range, sensitivity, name: named, isString: value.isString)
            }
        }
        if level.isSensitive {
            for value in level.values {
                judge(value.range, .secret(.secret), name: level.name, isString: value.isString)
            }
        }
        if level.isJWK {
            for range in level.jwk {
                spots.add(range, .privateKey, "jwk", key: level.name.map { bytes.text($0) })
            }
        }
        // Orthanc and others: [ "http://peer/", "user", "password" ].
        if !level.isObject, level.strings.count >= 3,
            bytes.position(
                of: Array("://".utf8), from: level.strings[0].lowerBound,
                before: level.strings[0].upperBound) != nil
        {
            for (part, secretClass) in Value.secrets(
                in: level.strings[2], of: bytes, .secret(.password))
            {
                spots.add(part, secretClass, "position", key: level.name.map { bytes.text($0) })
            }
        }
    }
}

/// Names of structures that hold secrets under names of their own choosing.
enum ContainerNames {
    /// Each member is a user and a password.
    static let holders: Set<String> = [
        "registeredusers", "basicauthusers", "passwords", "stringdata", "httpusers",
        "sensitiveattributes", "adminusers",
        "sensitivevalues", "securejsondata", "vaultsecrets", "githuboauth", "gitlaboauth",
        "gitlabtoken", "bearer",
    ]
    /// Names that say that each member is a secret under a name of its own choosing: `tokens: {agent: …}`.
    private static let plurals: Set<String> = [
        "tokens", "secrets", "passwords", "passwds", "apikeys",
    ]

    /// What a member is that stands directly in a structure of such a name; nil where its own name says more.
    static func member(_ key: KeyName, of name: KeyName) -> Sensitivity? {
        // Keys of WireGuard in netplan: keys: {private: x, public: y, shared: z}.
        if name.words == ["keys"], key.words == ["private"] || key.words == ["shared"] {
            return .secret(.symmetricKey)
        }
        guard let last = name.words.last, plurals.contains(last), !key.isBeside,
            case .suspicious(let secretClass) = name.sensitivity
        else { return nil }
        return .secret(secretClass)
    }
    /// Names that say nothing of their own: the value belongs to the name above.
    static let carriers: Set<String> = [
        "value", "val", "plain", "plaintext", "text", "data", "content", "default", "raw",
        "current", "literal", "string", "valeur",
        "cleartext", "", "values", "new", "old", "primary", "secondary", "inline", "_",
    ]

    static func isHolder(_ name: ArraySlice<UInt8>?) -> Bool {
        guard let name else { return false }
        let joined = KeyName(name).words.joined()
        return holders.contains(joined) || ["data", "secrets"].contains(joined)
    }
}
