/// What the name of a file says about how to read it.
struct FileKind {
    enum Form: Sendable {
        case lines, shell, code, json, yaml, xml, properties, prose
    }

    let form: Form
    /// The path in lower case, for what depends on the place.
    let path: String
    /// The last component in lower case, without what marks a copy (`.bak`, `~`).
    let name: String
    /// What follows the last dot of `name`.
    let ending: String
    /// The table that the file is; nil for most.
    let table: FileTable?
    /// The table that a text within the file is, by the file's place alone.
    private let innerTable: FileTable?
    private let names: NameMemory
    /// A name that means in this file what it means nowhere else.
    let special: (name: String, sensitivity: Sensitivity)?

    init(path bytes: [UInt8]) {
        path = String(decoding: bytes.map(\.lowered), as: UTF8.self)
        var stem = path.split(separator: "/").last.map { Substring($0) } ?? ""
        var isCopy = true
        while isCopy {
            isCopy = false
            for suffix in FileKind.copies where stem.hasSuffix(suffix) && stem.count > suffix.count
            {
                stem = stem.dropLast(suffix.count)
                isCopy = true
            }
        }
        name = String(stem)
        ending =
            stem.split(separator: ".", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        table = FileKind.table(name, ending: ending, path: path)
        innerTable = FileKind.table("", ending: "", path: path)
        names = NameMemory()
        special = FileKind.special(name, ending: ending, path: path)
        form = FileKind.form(ofName: name, path: path)
        isModuleStack =
            path.contains("/pam.d/") || path.contains("/pam-configs/") || name == "pam.conf"
        // Only in /etc: a file of hosts elsewhere is an inventory of Ansible.
        isRegister = FileKind.registers.contains(name) && path.hasSuffix("etc/" + name)
        isDevice = false
    }

    private init(_ other: FileKind, form: Form, isDevice: Bool = false) {
        self.form = form
        self.isDevice = isDevice
        path = other.path
        name = other.name
        ending = other.ending
        table = other.table
        innerTable = other.innerTable
        names = other.names
        special = other.special
        isModuleStack = other.isModuleStack
        isRegister = other.isRegister
    }

    /// The kind that the content shows, where the name says nothing: a script by its first line, a network device.
    func adapted(to content: [UInt8]) -> FileKind {
        guard form == .lines else { return self }
        guard content.starts(with: [0x23, 0x21]) else {
            return ["/quagga/", "/frr/"].contains(where: path.contains)
                || DeviceDirectives.isDevice(content)
                ? FileKind(self, form: .lines, isDevice: true) : self
        }
        let line = content.word(0..<min(content.endOfLine(0), 80))
        if ["python", "perl", "ruby", "php", "node"].contains(where: line.contains) {
            return FileKind(self, form: .code)
        }
        return line.contains("sh") ? FileKind(self, form: .shell) : self
    }

    /// The text with its escapes spelled out, byte for byte: the history of MySQL writes \040 for each blank, a note on a guest of
    /// Proxmox VE %3A for a colon.
    func spelledOut(_ bytes: [UInt8]) -> [UInt8] {
        if name == ".mysql_history" || name == ".mariadb_history" {
            return spelledOut(bytes, [0x5c, 0x30, 0x34, 0x30], as: 0x20)
        }
        if path.contains("/pve/"), ending == "conf" {
            return spelledOut(bytes, Array("%3A".utf8), as: 0x3a)
        }
        return form == .properties ? PropertyNames.spelledOut(bytes) : bytes
    }

    private func spelledOut(_ bytes: [UInt8], _ escape: [UInt8], as letter: UInt8) -> [UInt8] {
        var text = bytes
        var position = 0
        while let hit = text.position(of: escape, from: position) {
            text[hit] = letter
            for index in (hit + 1)..<(hit + escape.count) { text[index] = 0x20 }
            position = hit + escape.count
        }
        return text
    }

    /// A text within a file: read in its own form, at the place of the file.
    init(form: Form, of outer: FileKind) {
        self.form = form
        path = outer.path
        name = ""
        ending = ""
        table = outer.innerTable
        innerTable = outer.innerTable
        names = outer.names
        special = nil
        isModuleStack = outer.isModuleStack
        isRegister = false
        isDevice = false
    }

    /// The form of a file by its last component.
    static func form(ofName name: String, path: String = "") -> Form {
        let name = name.lowercased()
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count > 1, let last = parts.last, let known = endings[String(last)] {
            return known
        }
        if shells.contains(name) || name.hasPrefix(".env") || name.hasPrefix("env.")
            || name.hasSuffix("_history")
            || !path.isEmpty && path.contains("/cron")
        {
            return .shell
        }
        if name == "jenkinsfile" || name == "vagrantfile" { return .code }
        if name.hasPrefix("readme") || name.hasPrefix("changelog") || name == "copyright"
            || name == "license"
        {
            return .prose
        }
        return .lines
    }

    /// What copies are called: nginx.conf.bak, nginx.conf~, nginx.conf.dpkg-old.
    private static let copies: [String] = [
        ".bak", ".old", ".orig", "~", "-", ".save", ".dpkg-old", ".dpkg-dist", ".dpkg-new",
        ".dpkg-bak", ".ucf-dist",
        ".ucf-old", ".ucf-new", ".rpmsave", ".rpmnew", ".rpmorig", ".dist", ".sample", ".example",
        ".j2", ".tmpl", ".tpl",
        ".template", ".erb", ".in", ".backup", ".1", ".swp", ".new", ".copy", ".disabled",
    ]
    private static let shells: Set<String> = [
        ".bashrc", ".profile", ".bash_profile", ".zshrc", "profile", "bash.bashrc", "environment",
        ".history", "crontab",
        ".envrc", ".zshenv", ".bash_aliases", "dockerfile", "containerfile", "makefile", "rc.local",
    ]
    private static let endings: [String: Form] = [
        "sh": .shell, "bash": .shell, "zsh": .shell, "ksh": .shell, "env": .shell, "envrc": .shell,
        "bat": .shell,
        "cmd": .shell, "py": .code, "pl": .code, "pm": .code, "php": .code, "rb": .code,
        "js": .code, "ts": .code,
        "lua": .code, "java": .code, "groovy": .code, "go": .code, "c": .code, "h": .code,
        "tf": .code, "hcl": .code,
        "inc": .code, "tfvars": .code, "mjs": .code, "ps1": .code, "sql": .code, "phtml": .code,
        "psm1": .code,
        "cs": .code, "pp": .code, "ex": .code, "exs": .code, "kt": .code, "scala": .code,
        "vb": .code, "asp": .code, "jsp": .code, "vbs": .code, "json": .json, "tfstate": .json,
        "json5": .json, "jsonc": .json,
        "ipynb": .json,
        "yaml": .yaml, "yml": .yaml, "xml": .xml, "config": .lines, "plist": .xml, "html": .xml,
        "xsl": .xml,
        "channel": .xml, "properties": .properties, "md": .prose, "rst": .prose, "adoc": .prose,
    ]

    /// A name that means something else in files of this name.
    private static func special(
        _ name: String, ending: String, path: String
    ) -> (String, Sensitivity)? {
        // rclone calls the password of an object store `key`.
        // So does the server of TACACS+ with what it shares with its devices.
        if name == "rclone.conf" || name.hasPrefix("tac_plus") {
            return ("key", .secret(.symmetricKey))
        }
        if name == "secrets.yml" || name == "secrets.yaml" { return ("key", .secret(.token)) }
        // The account of certbot is the name of a directory.
        if path.contains("letsencrypt/renewal/") { return ("account", .plain) }
        // Secret=name of a unit of Podman says which secret a container gets.
        return ["container", "pod", "kube", "build"].contains(ending) ? ("secret", .plain) : nil
    }

    var isProse: Bool { form == .prose }
    /// PAM: `password requisite pam_unix.so` names a stage.
    let isModuleStack: Bool
    /// The configuration of a switch, router or firewall.
    let isDevice: Bool
    /// Names and numbers of services and the like, in which a first word is no key.
    let isRegister: Bool
    private static let registers: Set<String> = [
        "services", "rpc", "protocols", "nsswitch.conf", "mime.types", "hosts", "networks",
        "aliases", "shells", "ethertypes",
    ]
    /// Where `tokens` are colours and sizes.
    var isStyle: Bool { ["js", "ts", "mjs", "css", "scss", "less", "jsx", "tsx"].contains(ending) }
    var valuesEndAtSpace: Bool { form == .shell || form == .code }
    var mayBreakQuotes: Bool { form == .shell || form == .code || form == .json }

    func sensitivity(of key: KeyName) -> Sensitivity {
        if isRegister || isModuleStack && key.words.count == 1 { return .neutral }
        return key.sensitivity
    }

    /// The same, of a name that may have been read before.
    func sensitivity(named name: ArraySlice<UInt8>) -> Sensitivity {
        if isRegister { return .neutral }
        let key = names.meaning(of: name)
        return isModuleStack && key.words == 1 ? .neutral : key.sensitivity
    }
}
