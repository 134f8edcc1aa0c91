import Basics

extension GuestConfiguration {
    /// Reads the file form. What Proxmox would warn about and skip is kept in `unread`.
    ///
    /// Throws only for input that cannot be a configuration: beyond 4 MiB.
    public init(kind: GuestKind, file bytes: [UInt8]) throws(Failure) {
        guard bytes.count <= ConfigurationReader.largest else {
            throw Failure(.invalidValue, "a guest's configuration is larger than 4 MiB")
        }
        var reader = ConfigurationReader(kind: kind)
        var number = 0
        for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            number += 1
            reader.take(line.last == 0x0d ? line.dropLast() : line, number)
        }
        self = reader.finish()
    }

    /// The file form, as Proxmox writes it: notes first, then keys, then sections.
    public var file: [UInt8] {
        var bytes: [UInt8] = []
        Self.write(description, entries, into: &bytes)
        var parts = pending.map { [$0] } ?? []
        parts += specials
        parts += snapshots
        for section in parts {
            bytes += "\n[\(section.name)]\n".utf8
            Self.write(section.description, section.entries, into: &bytes)
        }
        for device in devices {
            let line =
                "#qmdump#map:\(device.key):\(device.device):\(device.storage):\(device.format):\n"
            bytes += line.utf8
        }
        return bytes
    }

    private static func write(
        _ description: String?, _ entries: [Entry], into bytes: inout [UInt8]
    ) {
        if let description {
            for line in description.utf8.split(separator: 0x0a, omittingEmptySubsequences: false) {
                bytes.append(0x23)
                bytes += PercentCode.encode(line) { (0x20...0x7e).contains($0) && $0 != 0x3a }
                bytes.append(0x0a)
            }
        }
        for entry in entries {
            bytes += "\(entry.key): ".utf8
            // A value is one line; one that is not cannot come from a file, and must not make two.
            bytes += entry.bytes.map { $0 == 0x0a ? 0x20 : $0 }
            bytes.append(0x0a)
        }
    }
}

/// Takes the lines of a configuration in the order of the file.
struct ConfigurationReader {
    static let largest = 4 << 20

    private enum Place {
        case main
        case pending
        case special
        case snapshot
    }

    private var result: GuestConfiguration
    private var place = Place.main
    private var current = GuestConfiguration.Section(name: "")
    private var notes: [[UInt8]] = []

    init(kind: GuestKind) { result = GuestConfiguration(kind: kind) }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }

    static func trim(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes = bytes.dropLast() }
        return bytes
    }

    mutating func take(_ line: ArraySlice<UInt8>, _ number: Int) {
        let trimmed = Self.trim(line)
        if trimmed.isEmpty { return }
        if line.first == 0x23 {
            comment(line.dropFirst())
        } else if trimmed.first == 0x5b, trimmed.last == 0x5d, line.first == 0x5b {
            if !section(trimmed.dropFirst().dropLast()) { unread(line, number) }
        } else if !entry(line) {
            unread(line, number)
        }
    }

    private mutating func unread(_ line: ArraySlice<UInt8>, _ number: Int) {
        result.unread.append(
            GuestConfiguration.UnreadLine(number: number, bytes: Array(line)))
    }

    private mutating func comment(_ line: ArraySlice<UInt8>) {
        for mark in ["qmdump#", "vzdump#"] where line.starts(with: mark.utf8) {
            let text = String(decoding: line.dropFirst(mark.utf8.count), as: UTF8.self)
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 6, parts[0] == "map", GuestKey.isWellFormed(String(parts[1])) {
                result.devices.append(
                    GuestConfiguration.MappedDevice(
                        key: String(parts[1]), device: String(parts[2]),
                        storage: String(parts[3]), format: String(parts[4])))
                return
            }
        }
        notes.append(Array(line))
    }

    private mutating func section(_ name: ArraySlice<UInt8>) -> Bool {
        guard let name = String(validating: name, as: UTF8.self), !name.isEmpty,
            name.utf8.count <= 128,
            name.utf8.allSatisfy({
                (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x5f
                    || $0 == 0x2d || $0 == 0x3a
            })
        else { return false }
        close()
        current = GuestConfiguration.Section(name: name)
        if name.uppercased() == "PENDING" || name == "pve:pending" {
            place = .pending
        } else if name.contains(":") {
            place = .special
        } else {
            place = .snapshot
        }
        return true
    }

    private mutating func entry(_ line: ArraySlice<UInt8>) -> Bool {
        // `lxc.*` keys also come with an equals sign.
        let raw = result.kind == .lxc && line.starts(with: "lxc.".utf8)
        guard let end = line.firstIndex(where: { $0 == 0x3a || (raw && $0 == 0x3d) }) else {
            return false
        }
        let name = raw ? Self.trim(line[..<end]) : line[..<end]
        guard let key = String(validating: name, as: UTF8.self), GuestKey.isWellFormed(key) else {
            return false
        }
        let value = Self.trim(line[line.index(after: end)...])
        guard !value.contains(0) else { return false }
        if key == "description" {
            notes.append(Array(value))
            return true
        }
        if value.isEmpty, !raw { return false }
        current.entries.append(GuestConfiguration.Entry(key, Array(value)))
        return true
    }

    private mutating func close() {
        if !notes.isEmpty {
            let decoded = notes.map { PercentCode.decode($0) ?? $0 }
            let text = GuestConfiguration.trimmedEnd(
                String(decoding: Array(decoded.joined(separator: [0x0a])), as: UTF8.self))
            current.description = text.isEmpty ? nil : text
        }
        notes = []
        switch place {
        case .main:
            result.description = current.description
            result.entries = current.entries
        case .pending: result.pending = current
        case .special: result.specials.append(current)
        case .snapshot: result.snapshots.append(current)
        }
    }

    mutating func finish() -> GuestConfiguration {
        close()
        return result
    }
}
