/// A word that begins a line and is followed by a secret.
struct DirectiveRule {
    let secretClass: SecretClass
    /// How many words lie between.
    var places = [0]
    var mayHaveKind = false
    var takesRest = false
    /// Whether the line holds nothing else to look at.
    var isWhole = true

    static let table: [String: DirectiveRule] = [
        "requirepass": .init(secretClass: .password), "masterauth": .init(secretClass: .password),
        "bindpw": .init(secretClass: .password, takesRest: true),
        "rootbindpw": .init(secretClass: .password, takesRest: true),
        "rootpw": .init(secretClass: .passwordHash, takesRest: true),
        "rocommunity": .init(secretClass: .community),
        "rwcommunity": .init(secretClass: .community),
        "rocommunity6": .init(secretClass: .community),
        "rwcommunity6": .init(secretClass: .community),
        "trapcommunity": .init(secretClass: .community),
        "authcommunity": .init(secretClass: .community, places: [1]),
        "com2sec": .init(secretClass: .community, places: [2]),
        "com2sec6": .init(secretClass: .community, places: [2]),
        "trapsink": .init(secretClass: .community, places: [1]),
        "trap2sink": .init(secretClass: .community, places: [1]),
        "informsink": .init(secretClass: .community, places: [1]),
        "monitor": .init(secretClass: .password, places: [3], isWhole: false),
        "incominguser": .init(secretClass: .password, places: [1]),
        "outgoinguser": .init(secretClass: .password, places: [1]),
        "createuser": .init(secretClass: .password, places: [2, 4]),
        "ldapbinddn": .init(secretClass: .password, places: [1]),
        "password_pbkdf2": .init(secretClass: .passwordHash, places: [1]),
        "snmp-server": .init(secretClass: .community, places: [1], isWhole: false),
        "password": .init(secretClass: .password, places: [], isWhole: false),
        "cachemgr_passwd": .init(secretClass: .password),
        "authbasicfake": .init(secretClass: .password, places: [1]),
        "sqlconnectinfo": .init(secretClass: .password, places: [2]),
        "basicauth": .init(secretClass: .password, places: [1]),
        "rename-command": .init(secretClass: .password, places: [1]),
        "usmuser": .init(secretClass: .symmetricKey, places: [7, 9]),
        "secure_link_md5": .init(secretClass: .symmetricKey, takesRest: true),
    ]
}
