import Basics
import Glibc
import Synchronization

/// Results go to standard output, everything else to standard error.
enum Terminal {
    /// A line for people, on standard error.
    static func say(_ text: String) { write(harmless(text) + "\n", to: 2) }

    /// What ended the command, and the number that scripts may rely on.
    static func say(_ failure: Failure) {
        say("exeat: \(failure.rendered)\ncode: \(failure.code.rawValue) \(failure.code.word)")
    }

    /// A line of the result, on standard output.
    static func print(_ text: String) { write(harmless(text) + "\n", to: 1) }

    /// Control characters can stand in strings only, and have an escape there.
    static func print(_ json: JSON) { print(json: json.pretty) }

    /// A part of a JSON text.
    static func print(json text: String, end: String = "\n") {
        write(harmless(text) { escape($0) } + end, to: 1)
    }

    /// A value on one line of standard error.
    static func say(_ json: JSON) {
        say(harmless(String(decoding: json.line, as: UTF8.self)) { escape($0) })
    }

    /// As JSON has it: two escapes for what is beyond U+FFFF.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }.joined()
    }

    /// Names may come from an archive that nobody has verified: nothing of theirs that moves the cursor,
    /// turns the direction of text, or cannot be seen reaches a terminal.
    static func harmless(
        _ text: String,
        _ stand: (Unicode.Scalar) -> String = { "\\u{\(String($0.value, radix: 16))}" }
    ) -> String {
        if text.unicodeScalars.allSatisfy({ !isControl($0) }) { return text }
        var harmless = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                harmless += stand(scalar)
            } else {
                harmless.unicodeScalars.append(scalar)
            }
        }
        return harmless
    }

    /// Control and format characters (Cc, Cf), those for direction among them, and separators of lines.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x7f { return scalar.value < 0x20 && scalar != "\n" && scalar != "\t" }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// Rewrites the current line of a terminal.
    static func rewrite(_ text: String) { write("\r\u{1b}[2K" + text, to: 2) }

    static var errorIsTerminal: Bool { isatty(2) == 1 }
    static var outputIsTerminal: Bool { isatty(1) == 1 }

    /// Why results did not get where somebody wanted to keep them: a file system that is full, or worse.
    static var lost: Failure? {
        let number = lostBy.load(ordering: .relaxed)
        return number == 0 ? nil : Failure(errno: number, "cannot write the results")
    }

    private static let lostBy = Atomic<Int32>(0)
    private static let losses: Set<Int32> = [ENOSPC, EDQUOT, EFBIG, EIO]

    /// What nobody reads any more (a closed pipe) is of no interest to anybody.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                retrying { unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
            }
            if count <= 0 {
                if descriptor == 1, losses.contains(errno) {
                    lostBy.store(errno, ordering: .relaxed)
                }
                return
            }
            bytes = bytes.dropFirst(count)
        }
    }

    /// A size for people: 1.5 GiB.
    static func size(_ bytes: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var unit = 0
        // Sizes may be what an archive claims: up to the largest there is.
        if bytes > .max / 10 { return "\(bytes >> 50) PiB" }
        var tenths = bytes * 10
        while tenths >= 10_240, unit < units.count - 1 {
            tenths /= 1024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// A duration for people: 1 h 02 min, 3 min 05 s, 12 s.
    static func duration(_ seconds: Int64) -> String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        if seconds >= 3600 { return "\(seconds / 3600) h \(two(seconds / 60 % 60)) min" }
        if seconds >= 60 { return "\(seconds / 60) min \(two(seconds % 60)) s" }
        return "\(seconds) s"
    }
}
