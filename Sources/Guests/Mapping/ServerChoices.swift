/// What a server decides by itself when a machine is made, where the configuration leaves it open.
///
/// Source: `PVE::API2::Qemu`, `create_vm`; `PVE::QemuServer::get_default_bootdevices`; and
/// `PVE::QemuServer::Machine::check_and_pin_machine_string`.
enum ServerChoices {
    /// The verdict on a key that the source leaves open; nil where it does not.
    static func item(
        _ key: String, expected: String?, source: String?, _ found: GuestConfiguration
    ) -> ConfigurationComparison.Item? {
        guard found.kind == .qemu else { return nil }
        let there = found[key]
        switch key {
        case "boot":
            guard isOpen(order: expected) else { return nil }
            let isChosen =
                isOpen(order: there) || there == "cdn"
                || PropertyString(there ?? "")["order"] == defaultOrder(of: found)
            guard isChosen else { return nil }
        case "machine":
            guard let there, isPinned(there, from: expected, found) else { return nil }
        default: return nil
        }
        return ConfigurationComparison.Item(
            key: key, verdict: source == there ? .equal : .mapped, source: source,
            expected: expected, found: there)
    }

    /// Whether it names nothing to start from: then the server chooses.
    static func isOpen(order text: String?) -> Bool {
        guard let text else { return true }
        return PropertyString(text).parts.allSatisfy { $0.value.allSatisfy(\.isWhitespace) }
    }

    /// The first disk, the first drive for media, the first card.
    static func defaultOrder(of guest: GuestConfiguration) -> String {
        let drives = ["ide", "scsi", "virtio", "sata"].flatMap { base in
            guest.numbered(base).map { ($0.entry.key, DriveOptions($0.entry.text).isMedium) }
        }
        let chosen = [
            drives.first { !$0.1 }?.0, drives.first { $0.1 }?.0,
            guest.numbered("net").first?.entry.key,
        ]
        return chosen.compactMap { $0 }.joined(separator: ";")
    }

    /// Windows gets the version of its machine written down, so that it never sees another one.
    private static func isPinned(
        _ found: String, from expected: String?, _ guest: GuestConfiguration
    ) -> Bool {
        guard guest.isWindows else { return false }
        var (before, after) = (PropertyString(expected ?? ""), PropertyString(found))
        let type = take(&before) ?? "pc"
        guard let pinned = take(&after) else { return false }
        let family = ["pc": "pc-i440fx-", "q35": "pc-q35-", "virt": "virt-"][type]
        return family.map { pinned.hasPrefix($0) } ?? false
            && Set(before.parts.map { "\($0.name ?? "")=\($0.value)" })
                == Set(after.parts.map { "\($0.name ?? "")=\($0.value)" })
    }

    /// Takes the type out, which may stand there with a name or without.
    private static func take(_ machine: inout PropertyString) -> String? {
        let type = machine["type"] ?? machine.unnamed
        machine.parts.removeAll { $0.name == nil || $0.name == "type" }
        return type
    }
}
