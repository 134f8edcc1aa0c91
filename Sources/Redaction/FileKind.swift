/// What the name of a file says about how to read it.
struct FileKind {
    enum Form: Sendable {
        case lines, shell, code, json, yaml, xml, properties, prose
    }

    let form: Form
    /// The path in lower case, for what depends on the place.
    let path: String
    let name: String

    init(path bytes: [UInt8]) {
        path = String(decoding: bytes.map(\.lowered), as: UTF8.self)
        name = path.split(separator: "/").last.map(String.init) ?? ""
        var stem = Substring(name)
        for suffix in FileKind.copies where stem.hasSuffix(suffix) && stem.count > suffix.count {
            stem = stem.dropLast(suffix.count)
        }
        let ending = stem.split(separator: ".", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        if let known = FileKind.endings[ending] {
            form = known
        } else if FileKind.shells.contains(String(stem)) || stem.hasPrefix(".env") || stem.hasPrefix("env.") || path.contains("cron") {
            form = .shell
        } else {
            form = .lines
        }
    }

    /// What copies are called: nginx.conf.bak, nginx.conf~, nginx.conf.dpkg-old.
    private static let copies: [String] = [
        ".bak", ".old", ".orig", "~", ".save", ".dpkg-old", ".dpkg-dist", ".dpkg-new", ".ucf-dist", ".ucf-old",
        ".rpmsave", ".rpmnew", ".dist", ".sample", ".example", ".j2", ".tmpl", ".tpl", ".template", ".erb", ".in",
    ]
    private static let shells: Set<String> = [
        ".bash_history", ".zsh_history", ".history", ".bashrc", ".profile", ".bash_profile", ".zshrc", ".sh_history",
        "profile", "bash.bashrc", "environment", ".mysql_history", ".psql_history", ".ash_history", ".python_history",
        ".mariadb_history", ".rediscli_history",
    ]
    private static let endings: [String: Form] = [
        "sh": .shell, "bash": .shell, "zsh": .shell, "ksh": .shell, "env": .shell, "envrc": .shell,
        "py": .code, "pl": .code, "pm": .code, "php": .code, "rb": .code, "js": .code, "ts": .code, "lua": .code,
        "java": .code, "groovy": .code, "go": .code, "c": .code, "h": .code, "tf": .code, "hcl": .code, "inc": .code,
        "tfvars": .code, "mjs": .code, "ps1": .code, "sql": .code, "phtml": .code,
        "json": .json, "tfstate": .json, "json5": .json, "jsonc": .json, "ipynb": .json,
        "yaml": .yaml, "yml": .yaml, "xml": .xml, "config": .xml, "plist": .xml, "html": .xml, "xsl": .xml,
        "properties": .properties, "md": .prose, "txt": .lines, "rst": .prose,
    ]

    var isProse: Bool { form == .prose || name.hasPrefix("readme") || name.hasPrefix("changelog") || name == "copyright" }
    /// PAM: `password requisite pam_unix.so` names a stage.
    var isModuleStack: Bool { path.contains("/pam.d/") || path.contains("/pam-configs/") || name == "pam.conf" }
    var valuesEndAtSpace: Bool { form == .shell || form == .code }
    var mayBreakQuotes: Bool { form == .shell || form == .code || form == .yaml || form == .json || form == .properties }

    func sensitivity(of key: KeyName) -> Sensitivity {
        if isModuleStack || path.hasSuffix("nsswitch.conf"), ["passwd", "password", "shadow"].contains(key.words.joined()) { return .neutral }
        return key.sensitivity
    }
}
