public import Basics
public import Glibc

/// The files of `exeat keys new NAME`; NAME may have folders in front, its last component is the
/// principal unless another is given.
public enum KeyFiles {
    /// A file that another module adds to the set, such as the age identity.
    public struct Extra: Sendable {
        /// What follows NAME, with its dot: `.agekey`.
        public let suffix: String
        public let bytes: [UInt8]
        public let mode: mode_t

        public init(suffix: String, bytes: [UInt8], mode: mode_t) {
            self.suffix = suffix
            self.bytes = bytes
            self.mode = mode
        }
    }

    /// `sign-with` in a plan gives the stem; its key file.
    public static func keyPath(stem: String) -> String { stem + ".key" }

    /// The principal that a stem proposes.
    public static func principal(stem: String) -> String { Files.lastComponent(of: stem) }

    /// Writes `.key` (0600), `.trust.json`, `.allowed_signers`, `.mldsa65.pem` and the extra files.
    ///
    /// Never overwrites: when one of them exists, `.exists` is thrown and nothing has been
    /// written; when writing fails half-way, what was written is removed. Creates missing folders.
    ///
    /// - Returns: the paths, in the order written.
    @discardableResult
    public static func write(
        stem: String, key: SigningKey, extra: [Extra] = []
    ) throws(Failure) -> [String] {
        let pair = key.publicPair
        let files =
            [
                Extra(suffix: ".key", bytes: key.keyFile, mode: 0o600),
                Extra(suffix: ".trust.json", bytes: TrustedKeys.file([.init(pair)]), mode: 0o644),
                Extra(
                    suffix: ".allowed_signers", bytes: Array(pair.allowedSignersLine.utf8),
                    mode: 0o644),
                Extra(suffix: ".mldsa65.pem", bytes: Array(pair.mldsa65PEM.utf8), mode: 0o644),
            ] + extra
        for file in files where Files.exists(stem + file.suffix) {
            throw exists(stem + file.suffix)
        }
        try Files.makeDirectory(Files.parent(of: stem))
        var written: [String] = []
        do throws(Failure) {
            for file in files {
                let path = stem + file.suffix
                try create(path, file.bytes, mode: file.mode) { written.append(path) }
            }
            try Files.syncDirectory(of: stem)
        } catch {
            for path in written { unsafe unlink(path) }
            throw error
        }
        return written
    }

    private static func exists(_ path: String) -> Failure {
        Failure(
            .exists, "cannot write \"\(path)\": it exists",
            hint: "Choose another name, or move the old key files away; they are never overwritten."
        )
    }

    private static func create(
        _ path: String, _ bytes: [UInt8], mode: mode_t, created: () -> Void
    ) throws(Failure) {
        do throws(Failure) {
            let file = try Descriptor(
                opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
            created()
            try file.writeAll(bytes)
            try file.sync()
        } catch {
            throw error.code == .exists ? exists(path) : error.during("cannot write \"\(path)\"")
        }
    }

    /// Reads a file that must be the owner's alone, behind links too; throws `.keyFileExposed`
    /// when the mode gives the group or others anything.
    public static func readPrivate(_ path: String) throws(Failure) -> [UInt8] {
        // A FIFO must not keep us waiting for its writer.
        let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= largest else {
            throw Failure(.keyFileInvalid, "cannot use \"\(path)\": it is not a key file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw Failure(
                .keyFileExposed, "cannot use \"\(path)\": others than its owner may open it",
                hint:
                    "Run `chmod 600 \(quoted(path))`; if others may have read it, replace the key.")
        }
        var buffer = [UInt8](repeating: 0, count: largest)
        var count = 0
        while count < largest {
            let more = try Failure.catching {
                try unsafe buffer.withUnsafeMutableBytes {
                    try unsafe file.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
                }
            }
            if more == 0 { break }
            count += more
        }
        return Array(buffer[..<count])
    }

    private static let largest = 1 << 16

    /// The path as a shell takes it for one word.
    private static func quoted(_ path: String) -> String {
        var text = "'"
        for character in path { text += character == "'" ? "'\\''" : String(character) }
        return text + "'"
    }
}
