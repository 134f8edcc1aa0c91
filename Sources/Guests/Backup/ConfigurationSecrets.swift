import Basics

extension GuestConfiguration {
    /// Keys whose value is a secret wherever it stands, snapshots and pending changes included.
    ///
    /// `args` and `lxc.*` lines can hold anything; they are no secret by themselves.
    public static let secretKeys: Set<String> = ["cipassword", "password"]

    /// A value that was taken out.
    public struct TakenSecret: Sendable, Equatable {
        public let key: String
        /// The section it stood in; nil for the guest itself.
        public let section: String?
    }

    /// The configuration without secrets, and what was taken out of it.
    ///
    /// What the API masks (`**********`) is taken too: it is no password, and must not become one.
    public func withoutSecrets() -> (configuration: GuestConfiguration, taken: [TakenSecret]) {
        var copy = self
        var taken: [TakenSecret] = []
        copy.entries = Self.strip(entries, nil, &taken)
        copy.pending?.entries = Self.strip(pending?.entries ?? [], pending?.name, &taken)
        for index in copy.specials.indices {
            let section = copy.specials[index]
            copy.specials[index].entries = Self.strip(section.entries, section.name, &taken)
        }
        for index in copy.snapshots.indices {
            let section = copy.snapshots[index]
            copy.snapshots[index].entries = Self.strip(section.entries, section.name, &taken)
        }
        // A line that was not read may hold whatever somebody meant to write.
        copy.unread.removeAll { line in
            let text = String(decoding: line.bytes, as: UTF8.self).lowercased()
            guard let key = Self.secretKeys.sorted().first(where: { text.contains($0) }) else {
                return false
            }
            taken.append(TakenSecret(key: key, section: "line \(line.number)"))
            return true
        }
        return (copy, taken)
    }

    private static func strip(
        _ entries: [Entry], _ section: String?, _ taken: inout [TakenSecret]
    ) -> [Entry] {
        entries.filter { entry in
            guard secretKeys.contains(entry.key) else { return true }
            taken.append(TakenSecret(key: entry.key, section: section))
            return false
        }
    }
}
