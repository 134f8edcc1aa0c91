public import Basics
public import Streams

/// What a source holds that may be armored.
public enum ArmorForm: Sendable {
    /// Armor when it begins with `-----BEGIN` after white space, else the file itself.
    case detected
    case armored
}

/// Gives the bytes of an age file that may be armored as text (C2SP age, "ASCII armor").
///
/// White space is allowed before and after the armor, up to 1 KiB each; anything else that is not the
/// one canonical form is `.ageArmor`.
public struct ArmorSource<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private static var whiteSpaceLimit: Int { 1024 }

    private var intake: Intake<Source>
    private let form: ArmorForm
    private var state = State.start
    private var line: [UInt8] = []
    private var decoded: [UInt8] = []
    private var offset = 0

    private enum State { case start, passing, body, ended }

    public init(_ source: consuming Source, _ form: ArmorForm) {
        self.intake = Intake(source, capacity: 1 << 16)
        self.form = form
        line.reserveCapacity(ArmorLine.columns + 2)
        decoded.reserveCapacity(ArmorLine.size)
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        if case .start = state { try begin() }
        if case .passing = state { return try intake.readSome(into: &chunk) }
        while chunk.count < chunk.capacity {
            if offset == decoded.count {
                guard case .body = state else { return }
                try decodeLine()
                continue
            }
            offset += try Self.move(decoded[offset...], into: &chunk)
        }
    }

    private static func move(
        _ bytes: ArraySlice<UInt8>, into chunk: inout Chunk
    ) throws(Failure) -> Int {
        try Failure.catching { unsafe bytes.withUnsafeBytes { unsafe chunk.append($0) } }
    }

    /// Decides whether there is armor, and passes its first line.
    private mutating func begin() throws(Failure) {
        var seen: [UInt8] = []
        var lineStart = 0
        while seen.count <= Self.whiteSpaceLimit {
            if try intake.readLine(into: &seen, limit: 1) {
                lineStart = seen.count
            } else if let last = seen.last, seen.count > lineStart, ArmorLine.isWhiteSpace(last) {
                // The end of the source is noticed below: nothing is added to the line any more.
                guard try !intake.ended() else { break }
            } else {
                break
            }
        }
        _ = try intake.readLine(into: &seen, limit: ArmorLine.begin.utf8.count - 1)
        if seen[lineStart...].elementsEqual(ArmorLine.begin.utf8) {
            line = Array(seen[lineStart...])
            _ = try intake.readLine(into: &line, limit: ArmorLine.header.count)
            guard Self.strip(&line), line == ArmorLine.header else {
                throw Self.malformed("its first line is not as it must be")
            }
            state = .body
        } else if case .detected = form {
            intake.giveBack(seen)
            state = .passing
        } else {
            throw Self.malformed("it does not begin with its first line")
        }
    }

    private mutating func decodeLine() throws(Failure) {
        offset = 0
        decoded.removeAll(keepingCapacity: true)
        try nextLine()
        if line == ArmorLine.footer { return try finish() }
        guard ArmorLine.decode(line, into: &decoded) else {
            throw Self.malformed("a line is not canonical base64 of up to 64 columns")
        }
        if decoded.count < ArmorLine.size {
            try nextLine()
            guard line == ArmorLine.footer else {
                throw Self.malformed("a short line is not followed by the last line")
            }
            try finish()
        }
    }

    private mutating func nextLine() throws(Failure) {
        line.removeAll(keepingCapacity: true)
        let isWhole = try intake.readLine(into: &line, limit: ArmorLine.columns + 2)
        // Only the very last line may lack its end.
        guard Self.strip(&line) || (!isWhole && line == ArmorLine.footer) else {
            throw Self.malformed(
                line.count > ArmorLine.columns ? "a line is too long" : "it ends too early")
        }
    }

    /// Takes LF or CR LF from the end; false when there is none.
    private static func strip(_ line: inout [UInt8]) -> Bool {
        guard line.last == 0x0a else { return false }
        line.removeLast()
        if line.last == 0x0d { line.removeLast() }
        return true
    }

    /// Only white space may follow.
    private mutating func finish() throws(Failure) {
        state = .ended
        var rest: [UInt8] = []
        while rest.count < Self.whiteSpaceLimit {
            let count = rest.count
            _ = try intake.readLine(into: &rest, limit: Self.whiteSpaceLimit - count)
            if rest.count == count { break }
        }
        guard rest.count < Self.whiteSpaceLimit, rest.allSatisfy(ArmorLine.isWhiteSpace) else {
            throw Self.malformed("something follows its last line")
        }
    }

    private static func malformed(_ what: String) -> Failure {
        Failure(
            .ageArmor, "cannot read the age armor: \(what)",
            hint: "Get the file again; a program on its way may have changed its line ends.")
    }
}
