/// What the console of a machine or a container says about whether its system came up.
enum Console {
    /// What it says of a system that will never come up; nil where it says nothing such.
    static func obstacle(in console: String) -> String? {
        let text = plain(console)
        let signs = [
            "No bootable device", "BdsDxe: No bootable option", "UEFI Interactive Shell",
            "Kernel panic - not syncing", "grub rescue>", "grub>", "Dropping to a shell!",
            "Entering emergency mode", "You are in emergency mode",
            "Give root password for maintenance", "VFS: Unable to mount root fs",
        ]
        return signs.first { text.contains($0) }
    }

    /// What shows that a system runs programs of its own; nil where nothing does.
    ///
    /// Boot loaders and initial RAM disks greet, too, and reach targets of their own: what they say is no
    /// sign.
    static func sign(in console: String) -> String? {
        let text = plain(console)
        for line in text.split(whereSeparator: \.isNewline) {
            if line.contains(" login:") || line.hasPrefix("login:") { return "login:" }
            guard let place = line.firstRange(of: "Reached target ") else { continue }
            let target = line[place.upperBound...].lowercased()
            for name in ["multi-user", "graphical"] where target.hasPrefix(name) {
                return "Reached target \(target.prefix { $0 != "." && $0 != " " })"
            }
        }
        return nil
    }

    /// Without the sequences that terminals take for colours and movements (ECMA-48, 5.4).
    static func plain(_ text: String) -> String {
        var bytes: [UInt8] = []
        var state = 0
        for byte in text.utf8 {
            switch state {
            case 1: state = byte == 0x5b ? 2 : 0
            case 2: state = (0x40...0x7e).contains(byte) ? 0 : 2
            default:
                if byte == 0x1b { state = 1 } else { bytes.append(byte) }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
