/// What a name says about the value that stands under it.
enum Sensitivity: Equatable {
    /// The value is a secret, whatever it looks like, unless it is empty, a switch or a reference.
    case secret(SecretClass)
    /// The name speaks of secrets, in the plural or as a rule about them: a value that looks like one is one.
    case suspicious(SecretClass)
    /// A code of four to twelve digits is the secret; anything else is none.
    case code
    /// The name says nothing: the look of the value decides.
    case neutral
    /// The name says that the value is public (a fingerprint, a revision, a path): only known forms of
    /// secrets are looked for.
    case plain
}

/// A name in a configuration, split into its words: `spring.datasource.dbPassword` has four.
struct KeyName {
    let words: [String]

    init(_ bytes: some Sequence<UInt8>) {
        var words: [String] = []
        var current: [UInt8] = []
        func close() {
            if !current.isEmpty { words.append(String(decoding: current, as: UTF8.self)) }
            current = []
        }
        let all = Array(bytes)
        for (index, byte) in all.enumerated() {
            guard byte.isAlphanumeric || byte >= 0x80 else {
                close()
                continue
            }
            if byte.isUpper, index > 0 {
                let after = index + 1 < all.count && all[index + 1].isLower
                if all[index - 1].isLower || all[index - 1].isDigit
                    || after && all[index - 1].isUpper
                {
                    close()
                }
            }
            current.append(byte.lowered)
        }
        close()
        self.words = words.flatMap(KeyName.parts)
    }

    /// Whether a value may be the name under which something else keeps the password: `adminPasswordKey: admin-password`.
    static func isNamedKey(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
        guard value.allSatisfy({ $0.isLower || [0x2d, 0x5f, 0x2e].contains($0) }),
            case .secret = KeyName(value).sensitivity
        else { return false }
        let words = KeyName(name).words
        return words.count > 1 && words.last == "key"
            && KeyWords.secretClass(of: words[words.count - 2]) == .password
    }

    var sensitivity: Sensitivity {
        guard let last = words.last, words.count <= 64 else { return .neutral }
        if last == "base", words.dropLast().last == "key" { return .secret(.symmetricKey) }
        switch words.joined() {
        case "authenticationstring": return .secret(.passwordHash)
        case "cleartext", "clearpassword", "rediscliauth": return .secret(.password)
        case "proxypass", "proxypassreverse", "fastcgipass", "uwsgipass", "scgipass", "grpcpass",
            "tryfirstpass", "usefirstpass", "nopass",
            "bypass", "passenvironment", "sslpassphrasedialog", "passphrasedialog", "pampassword",
            "usercredcol":
            return .plain
        // Names of secrets that Kubernetes keeps.
        case "imagepullsecret", "pullsecret", "credentialssecret", "credentialsecret":
            return .suspicious(.secret)
        // By this the members of a cluster of etcd know each other: a name.
        case "initialclustertoken", "etcdinitialclustertoken": return .suspicious(.token)
        case "pincode", "codepin", "codeporteur": return .code
        case "codewifi", "wificode", "wifikey", "digicode", "clewifi", "cléwifi", "codeacces",
            "codedacces":
            return .secret(.password)
        case "secretid", "approlesecretid", "npmauthident": return .secret(.token)
        case "credentialdata", "loadcredential", "loadcredentialencrypted", "importcredential":
            return .plain
        case "setcredentialencrypted": return .secret(.ciphertext)
        default: break
        }
        // PIN of the card of a professional: `PIN carte CPS`.
        if words.contains("pin"), words.contains("cps") || words.contains("carte") { return .code }
        if last == "pin" || last == "puk" || last == "pincode" {
            // The PIN of a token or of a key store may have letters.
            return words.contains(where: KeyWords.tokenStores.contains)
                || words.contains("store") || words.contains("keystore")
                ? .secret(.password) : .code
        }
        if let place = words.lastIndex(where: { KeyWords.secretClass(of: $0) != nil }),
            var secretClass = KeyWords.secretClass(of: words[place])
        {
            let tail = words[(place + 1)...]
            if tail.contains(where: KeyWords.hashes.contains) { secretClass = .passwordHash }
            // `passwordFrom` of Kubernetes names where it is.
            if tail.contains(where: KeyWords.aspects.contains) || tail.last == "from" {
                return .plain
            }
            // `check_password` is a rule, `health_check_password` a password.
            let before = words[..<place].enumerated().filter {
                $0.offset == 0 || $0.element != "check"
            }
            if before.contains(where: { KeyWords.rules.contains($0.element) }) {
                return .suspicious(secretClass)
            }
            return KeyWords.plurals.contains(words[place]) && tail.isEmpty
                ? .suspicious(secretClass) : .secret(secretClass)
        }
        if let place = words.lastIndex(where: {
            $0 == "key" || $0 == "keys" || $0 == "cle" || $0 == "clé"
        }) {
            let tail = words[(place + 1)...]
            let around = words[..<place] + (words[place].hasPrefix("cl") ? tail : [])
            if !tail.contains(where: KeyWords.aspects.contains),
                !around.contains(where: KeyWords.publicKeys.contains),
                let qualifier = around.last(where: { KeyWords.keyQualifiers[$0] != nil }),
                let secretClass = KeyWords.keyQualifiers[qualifier]
            {
                return .secret(secretClass)
            }
        }
        if last == "code", words.contains(where: KeyWords.tokenStores.contains) {
            return .secret(.password)
        }
        // `NONCE_SALT`, `hash_salt`, `PublicLinkSalt`; `salt` alone is a program as well.
        if last == "salt" && words.count > 1 || last == "pepper" { return .secret(.symmetricKey) }
        if words.contains(where: KeyWords.openAnywhere.contains) { return .plain }
        if last == "hash", words.dropLast().contains(where: KeyWords.versioned.contains) {
            return .plain
        }
        if KeyWords.shaped.contains(last) { return .suspicious(.symmetricKey) }
        return KeyWords.open.contains(last) ? .plain : .neutral
    }

    /// What a bare `key` is below a name that says what for (`jwt: {key: …}`); nil for all others.
    func sensitivity(below above: KeyName) -> Sensitivity? {
        guard words == ["key"], let last = above.words.last,
            KeyWords.keyHolders.contains(last), let secretClass = KeyWords.keyQualifiers[last]
        else { return nil }
        return .secret(secretClass)
    }

    /// Whether this names something about a secret, or beside one: its lifetime, its user.
    var isBeside: Bool {
        KeyWords.ordinary.contains(words.joined())
            || words.contains {
                KeyWords.aspects.contains($0) || KeyWords.rules.contains($0)
                    || KeyWords.open.contains($0)
            }
    }

    /// Words that are written together: `passwordfile` is two, `bindpw1` ends with a number.
    private static func parts(of word: String) -> [String] {
        let bare = String(
            word[..<(word.lastIndex { !$0.isNumber }.map(word.index(after:)) ?? word.startIndex)])
        if bare != word, bare == "key" || !bare.isEmpty && KeyWords.secretClass(of: bare) != nil {
            return [bare]
        }
        for head in KeyWords.heads where word.count > head.count && word.hasPrefix(head) {
            let rest = String(word.dropFirst(head.count))
            if KeyWords.aspects.contains(rest) || KeyWords.hashes.contains(rest)
                || rest.hasPrefix("salt")
            {
                return [head, rest]
            }
        }
        return [word]
    }
}
