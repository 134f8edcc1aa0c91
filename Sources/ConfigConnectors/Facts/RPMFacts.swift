import Basics

/// What is installed where packages are RPMs.
enum RPMFacts {
    private static let databases = ["/var/lib/rpm", "/usr/lib/sysimage/rpm"]

    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        // An empty directory is what the program alone brings.
        var database: String?
        for path in databases where database == nil {
            let names = try machine.names(path) ?? []
            if names.contains(where: { ["Packages", "rpmdb.sqlite", "Packages.db"].contains($0) }) {
                database = path
            }
        }
        // Where the database lies is a setting of the program: that of Debian looks in the user's home, finds none there,
        // makes one, and lists nothing.
        let root =
            (machine.isLive ? [] : ["--root", machine.root]) + ["--dbpath", database ?? ""]
        try document.source("rpm") { (items) throws(Failure) in
            guard database != nil else { return false }
            let format = "%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{VENDOR}\\n"
            guard let output = try machine.output("rpm", root + ["-qa", "--qf", format]) else {
                throw Failure(.notFound, "\"rpm\" is not installed")
            }
            packages(String(decoding: output, as: UTF8.self), &items)
            guard !items.items.isEmpty else {
                throw Failure(.notFound, "\"rpm\" finds no package in its database")
            }
            return true
        }
        try document.source("rpm-conffile") { (items) throws(Failure) in
            guard database != nil else { return false }
            let options = ["-Va", "--configfiles", "--nodeps", "--noscripts", "--nomtime"]
            guard let output = try machine.output("rpm", root + options, acceptable: [1]) else {
                throw Failure(.notFound, "\"rpm\" is not installed")
            }
            conffiles(String(decoding: output, as: UTF8.self), &items)
            return true
        }
    }

    static func packages(_ text: String, _ items: inout FactItems) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
                .map(String.init)
            guard fields.count == 4 else { continue }
            items.add(
                "\(fields[0]).\(fields[2])",
                ["origin": .string(fields[3]), "version": .string(fields[1])])
        }
    }

    /// Lines such as `S.5....T.  c /etc/chrony.conf` and `missing   c /etc/motd`.
    static func conffiles(_ text: String, _ items: inout FactItems) {
        for line in text.split(separator: "\n") {
            let words = Text.words(line)
            guard words.count >= 3, words[1] == "c", let start = line.firstIndex(of: "/") else {
                continue
            }
            let path = Text.trimmed(line[start...])
            if words[0] == "missing" {
                items.add(path, ["state": "missing"])
            } else if words[0].contains("5") || words[0].contains("S") {
                items.add(path, ["state": "modified"])
            }
        }
    }
}
