import Basics

/// The encodings of tag files (RFC 8493, section 2.1.1) and how a line of one is taken apart.
enum ForeignEncoding: Sendable {
    case utf8, latin1, utf16

    init?(name: some StringProtocol) {
        switch name.uppercased() {
        case "UTF-8", "UTF8": self = .utf8
        case "ISO-8859-1", "LATIN-1", "LATIN1": self = .latin1
        case "UTF-16", "UTF16": self = .utf16
        default: return nil
        }
    }

    /// The text, or nil when the bytes are not of the encoding.
    func decode(_ bytes: [UInt8]) -> String? {
        switch self {
        case .utf8: return String(validating: bytes, as: UTF8.self)
        case .latin1:
            var text = ""
            for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
            return text
        case .utf16:
            guard bytes.count % 2 == 0 else { return nil }
            let littleEndian = bytes.starts(with: [0xff, 0xfe])
            let marked = littleEndian || bytes.starts(with: [0xfe, 0xff])
            var units: [UInt16] = []
            for index in stride(from: marked ? 2 : 0, to: bytes.count, by: 2) {
                let first = UInt16(bytes[index])
                let second = UInt16(bytes[index + 1])
                units.append(littleEndian ? second << 8 | first : first << 8 | second)
            }
            return String(validating: units, as: UTF16.self)
        }
    }

    /// The lines, ended by LF, CR or CR LF; empty ones are left out.
    static func lines(_ text: String) -> [Substring.UnicodeScalarView] {
        text.unicodeScalars.split { $0 == "\n" || $0 == "\r" }
    }
}

/// A path as a manifest or a fetch.txt names it.
struct ForeignPath {
    /// After decoding, without a leading "./".
    let bytes: [UInt8]
    let hadDotSlash: Bool

    /// Percent-encoding is undone as the version has it: CR and LF, since 1.0 also `%` itself.
    init(_ text: String, version: String) {
        var bytes: [UInt8] = []
        let raw = Array(text.utf8)
        var index = 0
        while index < raw.count {
            let code = raw[index...].prefix(3)
            let hex = String(decoding: code.dropFirst(), as: UTF8.self).uppercased()
            if code.first == 0x25, hex == "0A" || hex == "0D" || (hex == "25" && version == "1.0") {
                bytes.append(hex == "0A" ? 0x0a : hex == "0D" ? 0x0d : 0x25)
                index += 3
            } else {
                bytes.append(raw[index])
                index += 1
            }
        }
        hadDotSlash = bytes.starts(with: [0x2e, 0x2f])
        self.bytes = hadDotSlash ? Array(bytes.dropFirst(2)) : bytes
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var shown: String { BagPath.shown(bytes) }

    /// Whether it leads out of the bag here: absolute, through "..", or by a home directory.
    var leadsOut: Bool {
        guard let first = bytes.first else { return true }
        return first == 0x2f || first == 0x7e || bytes.contains(0)
            || bytes.split(separator: 0x2f).contains([0x2e, 0x2e])
    }

    /// Whether it leads out of the bag on Windows: a drive, a UNC or device path, a variable that
    /// the shell expands, or ".." between backslashes.
    var leadsOutOnWindows: Bool {
        let slashed = bytes.map { $0 == 0x5c ? 0x2f : $0 }
        let parts = slashed.split(separator: 0x2f, omittingEmptySubsequences: false)
        if slashed.first == 0x2f { return true }
        if bytes.count >= 2, bytes[1] == 0x3a, Unicode.Scalar(bytes[0]).properties.isAlphabetic {
            return true
        }
        if parts.contains([0x2e, 0x2e]) { return true }
        guard let first = parts.first, first.count > 2 else { return false }
        return first.first == 0x25 && first.last == 0x25
    }

    /// Names that file systems of other kinds take for one: letter case and normalisation folded.
    /// Swift's strings are equal when they are canonically equivalent (Unicode, UAX #15).
    var folded: String { text.lowercased() }

    /// Files that operating systems make and lose by themselves.
    var isSystemFile: Bool {
        let name = bytes.split(separator: 0x2f).last.map { String(decoding: $0, as: UTF8.self) }
        return [".DS_Store", "Thumbs.db", "desktop.ini"].contains(name ?? "")
    }
}
