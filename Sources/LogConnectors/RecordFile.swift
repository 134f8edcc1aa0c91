import Basics
import Glibc

/// A file of lines at a target, which appears whole or not at all.
struct RecordFile: ~Copyable {
    private let path: [UInt8]
    private let partial: [UInt8]
    private let file: Descriptor
    private var buffer: [UInt8] = []
    private(set) var size: Int64 = 0

    private static let bufferSize = 1 << 20

    init(_ path: [UInt8]) throws(Failure) {
        self.path = path
        partial = path + Array(".partial".utf8)
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC
        let text = Self.text(partial)
        let raw = retrying { unsafe open(text, flags, 0o600) }
        guard raw >= 0 else {
            throw Failure(errno: errno, "cannot create \(TextHolder.quoted(path))")
        }
        file = Descriptor(owning: raw)
        buffer.reserveCapacity(Self.bufferSize + (64 << 10))
    }

    private static func text(_ path: [UInt8]) -> [CChar] {
        path.map { CChar(bitPattern: $0) } + [0]
    }

    /// Lets `body` append a line.
    mutating func append(_ body: (inout [UInt8]) -> Void) throws(Failure) {
        let before = buffer.count
        body(&buffer)
        size += Int64(buffer.count - before)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    private mutating func flush() throws(Failure) {
        do throws(Failure) { try file.writeAll(buffer) } catch {
            throw error.during("cannot write \(TextHolder.quoted(path))")
        }
        buffer.removeAll(keepingCapacity: true)
    }

    mutating func finish() throws(Failure) {
        try flush()
        do throws(Failure) { try file.sync() } catch {
            throw error.during("cannot write \(TextHolder.quoted(path))")
        }
        guard unsafe rename(Self.text(partial), Self.text(path)) == 0 else {
            throw Failure(errno: errno, "cannot name \(TextHolder.quoted(path))")
        }
    }
}
