import Basics
import Glibc

/// Which system and which kernel, and what the kernel was told when it started.
enum KernelFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try document.source("system") { (items) throws(Failure) in
            var found = try machine.text("/etc/os-release")
            if found == nil { found = try machine.text("/usr/lib/os-release") }
            guard let text = found else { return false }
            for line in Text.statements(text) {
                guard let (name, value) = Text.halves(line, at: 0x3d),
                    ["ID", "VERSION_ID", "VERSION_CODENAME", "PRETTY_NAME"].contains(name)
                else { continue }
                items.add(name, .string(value.filter { $0 != "\"" && $0 != "'" }))
            }
            if let version = try machine.text("/etc/debian_version") {
                items.add("debian_version", .string(Text.trimmed(version)))
            }
            return true
        }
        try document.source("installed") { (items) throws(Failure) in
            guard let names = try machine.names("/lib/modules") else { return false }
            for name in names { items.add(name, .object([])) }
            return true
        }
        try document.liveSource("running", machine) { (items) throws(Failure) in
            for file in ["ostype", "osrelease", "version"] {
                let bytes = try machine.kernelText("/proc/sys/kernel/\(file)") ?? []
                items.add(file, .string(Text.trimmed(String(decoding: bytes, as: UTF8.self))))
            }
            items.add("machine", .string(architecture))
            return true
        }
        try document.liveSource("command-line", machine) { (items) throws(Failure) in
            guard let bytes = try machine.kernelText("/proc/cmdline") else { return false }
            commandLine(machine.redacted(bytes, of: "/proc/cmdline"), &items)
            return true
        }
    }

    /// Each argument by its name, with all its values in order; quotes hold blanks.
    static func commandLine(_ text: String, _ items: inout FactItems) {
        var values: [String: [String]] = [:]
        var word = ""
        var isQuoted = false
        func end() {
            guard !word.isEmpty else { return }
            let (name, value) = Text.halves(word, at: 0x3d) ?? (word, "")
            values[name, default: []].append(value)
            word = ""
        }
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case " ", "\n", "\t":
                if isQuoted { word.append(character) } else { end() }
            default: word.append(character)
            }
        }
        end()
        for (name, values) in values { items.add(name, .strings(values)) }
    }

    private static var architecture: String {
        var name = utsname()
        unsafe uname(&name)
        return unsafe withUnsafeBytes(of: &name.machine) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
