import Basics

extension GuestConfiguration {
    /// Takes in what `GET …/pending` answers: changes that wait for a restart.
    ///
    /// The configuration itself must be asked with `current=1`, or it has them already.
    public mutating func take(pending api: JSON) throws(Failure) {
        guard let items = api.array else { throw Self.unreadable("pending changes") }
        var section = Section(name: kind == .qemu ? "PENDING" : "pve:pending")
        var removed: [String] = []
        for item in items {
            guard let key = item["key"]?.string, GuestKey.isWellFormed(key) else {
                throw Self.unreadable("pending changes")
            }
            if let delete = item["delete"], delete != 0, delete != "0", delete != false {
                removed.append(key)
            } else if let value = item["pending"], let text = Self.scalar(value) {
                if key == "description" {
                    section.description = Self.trimmedEnd(text)
                } else {
                    section.entries.append(Entry(key, text))
                }
            }
        }
        if !removed.isEmpty {
            section.entries.append(Entry("delete", removed.joined(separator: ",")))
        }
        let isEmpty = section.entries.isEmpty && section.description == nil
        pending = isEmpty ? nil : section
    }

    /// Takes in what `GET …/snapshot` answers; the entry `current` is the guest itself.
    public mutating func take(snapshots api: JSON) throws(Failure) {
        guard let items = api.array else { throw Self.unreadable("snapshots") }
        var found: [Section] = []
        for item in items {
            guard let name = item["name"]?.string else { throw Self.unreadable("snapshots") }
            if name == "current" { continue }
            var section = Section(name: name)
            section.description = item["description"]?.string.map(Self.trimmedEnd)
            for key in ["parent", "snaptime", "vmstate"] {
                if let text = item[key].flatMap(Self.scalar) {
                    section.entries.append(Entry(key, text))
                }
            }
            found.append(section)
        }
        snapshots = found
    }

    private static func scalar(_ value: JSON) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): flag ? "1" : "0"
        case .null, .array, .object: nil
        }
    }

    private static func unreadable(_ what: String) -> Failure {
        Failure(.jsonMalformed, "the server's list of \(what) is not readable")
    }
}
