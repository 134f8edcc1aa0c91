import Basics
import Glibc

/// A directory of a test's own, removed with everything in it when the test lets go.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/exeat-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(errno: errno, "cannot make a directory")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? Files.remove(path) }

    public func file(_ name: String, _ bytes: [UInt8] = []) throws -> String {
        let path = self.path + "/" + name
        try Files.makeDirectory(Files.parent(of: path))
        try Files.write(bytes, to: path)
        return path
    }
}
