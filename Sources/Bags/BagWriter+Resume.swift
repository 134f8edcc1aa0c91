public import Basics
import Glibc
public import Primitives
public import Streams
import Synchronization

// How a run goes on in an output that it, or another, has begun.
extension BagWriter {
    /// Goes back to the last commit that the journal knows: a tar is cut at `end`; in a directory
    /// whatever was not committed is removed. `check` then looks at what was.
    public func resume(committed: Set<String>, end: Int64) throws(Failure) {
        switch form {
        case .stream: break
        case .tar(let path):
            guard let tar else { return }
            guard try Int64(tar.descriptor.status().st_size) >= end else {
                throw Self.damaged("\"\(path)\" is shorter than the segments stored in it")
            }
            try tar.descriptor.truncate(to: end)
            try tar.descriptor.seek(to: end)
            tail.withLock { $0.end = end }
        case .directory(let path):
            try Files.remove(path + "/proof.partial")
            try Files.remove(path + "/proof")
            if Files.exists(path + "/data") {
                try removeUncommitted(path + "/data", "data", committed)
            }
        }
    }

    /// Makes sure that there is nothing a new run would overwrite: where private state is left, but
    /// no journal, only an empty output is begun anew.
    public func begin() throws(Failure) {
        var isEmpty = true
        switch form {
        case .stream: break
        case .tar: if let tar { isEmpty = try tar.descriptor.status().st_size == 0 }
        case .directory(let path):
            isEmpty = !Files.exists(path + "/data") && !Files.exists(path + "/proof")
        }
        guard isEmpty else {
            throw Failure(
                .journalMalformed, "the output \"\(form)\" holds data, but no journal of a run",
                hint: "It cannot be resumed; name a new output.")
        }
    }

    /// Reads a committed file again and holds it against the journal's record of it: what was
    /// damaged while the run was interrupted must not be sealed.
    ///
    /// - Parameter end: where the tar ended after it was committed.
    public func check(
        _ path: BagPath, bytes: Int64, sha256: Digest256, end: Int64, progress: Progress
    ) throws(Failure) {
        let source: FileSource
        switch form {
        case .stream: return
        case .directory(let root):
            let file = try Self.open(root + "/" + path.text, as: path)
            guard try Int64(file.descriptor.status().st_size) == bytes else {
                throw Self.damaged(path)
            }
            source = FileSource(file, from: 0, size: bytes)
        case .tar:
            guard let tar else { return }
            let padding = CanonicalTar.padding(after: bytes)
            let start = end - Int64(padding) - bytes
            var frame = [UInt8](repeating: 0, count: 512 + padding)
            try Self.fill(&frame, 0..<512, from: tar, at: start - 512)
            try Self.fill(&frame, 512..<frame.count, from: tar, at: start + bytes)
            guard
                try frame == CanonicalTar.header(name: name, path: path, size: bytes)
                    + [UInt8](repeating: 0, count: padding)
            else { throw Self.damaged(path) }
            source = FileSource(tar, from: start, size: bytes)
        }
        let tally = Tally()
        var sink = Hashing(tally, into: Discarding())
        var reading = source
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try reading.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                try unsafe sink.write(buffer: bytes)
            }
        } while !chunk.isEmpty
        try sink.finish()
        guard tally.digest == sha256.hex else { throw Self.damaged(path) }
    }

    /// Looks whether a directory holds the files of this run and nothing else, as a verifier will: the
    /// last thing before the seal.
    public func checkListing(_ expected: Set<BagPath>) throws(Failure) {
        guard case .directory(let root) = form else { return }
        let found = try BagDirectory(opening: root)
        let strange =
            found.problems.first { $0.failure.code != .bagUnfinished }?.path
            ?? found.entries.first { !expected.contains($0.path) }?.path.text
        if let strange {
            throw Failure(
                .exists, "the output holds \"\(strange)\", which is not of this run",
                hint: "Move it elsewhere, then run the same command again.")
        }
        let missing = expected.subtracting(found.entries.map(\.path))
        if let missing = missing.min() {
            throw Failure(
                .bagFileMissing, "\"\(missing.text)\" has gone from the output",
                hint: "The output was changed during the run; export to a new one.")
        }
    }

    private static func open(_ path: String, as name: BagPath) throws(Failure) -> SharedDescriptor {
        do throws(Failure) {
            return SharedDescriptor(
                try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
                name: "\"\(path)\"")
        } catch { throw error.code == .notFound ? damaged(name) : error }
    }

    private static func fill(
        _ buffer: inout [UInt8], _ range: Range<Int>, from file: SharedDescriptor, at offset: Int64
    ) throws(Failure) {
        try Failure.catching {
            try unsafe buffer.withUnsafeMutableBytes { bytes in
                var done = range.lowerBound
                while done < range.upperBound {
                    let free = unsafe UnsafeMutableRawBufferPointer(
                        rebasing: bytes[done..<range.upperBound])
                    let count = try unsafe file.descriptor.read(
                        into: free, at: offset + Int64(done - range.lowerBound))
                    if count == 0 { return }
                    done += count
                }
            }
        }
    }

    private static func damaged(_ path: BagPath) -> Failure {
        damaged("\"\(path.text)\" of the interrupted run is no longer as it was stored")
    }

    private static func damaged(_ what: String) -> Failure {
        Failure(
            .bagFileChanged, what,
            hint: "The output was changed or damaged after it was written; export to a new one.")
    }

    private func removeUncommitted(
        _ directory: String, _ prefix: String, _ committed: Set<String>
    ) throws(Failure) {
        for name in try Files.names(in: directory) {
            let path = directory + "/" + name
            if Files.kind(path) == S_IFDIR {
                try removeUncommitted(path, prefix + "/" + name, committed)
                // Fails where something is left, which is as it should be.
                unsafe rmdir(path)
            } else if !committed.contains(prefix + "/" + name) {
                try Files.remove(path)
            }
        }
    }
}

// The private state, and its end.
extension BagWriter {
    /// Removes the private state; the last step after the seal.
    public func removeState() throws(Failure) {
        guard case .tar = form else { return try Files.remove(stateDirectory) }
        // One rename makes the tar final; a half removed state would say the opposite.
        let spent = stateDirectory + Self.spentSuffix
        try Files.remove(spent)
        try Files.rename(stateDirectory, to: spent)
        try Files.remove(spent)
    }

    /// Removes what a process that was killed right after the seal has left beside a tar, or in a
    /// directory.
    public static func removeRemains(of form: Form) throws(Failure) {
        switch form {
        case .stream: break
        case .directory(let path): try Files.remove(path + "/.exeat-run")
        case .tar: try Files.remove(state(of: form) + spentSuffix)
        }
    }

    private static let spentSuffix = "-sealed"

    /// Whether a tar has its end already: sealed, though its run could not say so any more.
    public var hasEnd: Bool {
        guard case .tar(let path) = form else { return false }
        do throws(Failure) {
            return try BagTar(opening: path).entries.contains { $0.path == Seal.path }
        } catch { return false }
    }

    /// Takes back a new output in which nothing has been stored yet.
    public func discard() throws(Failure) {
        try Files.remove(stateDirectory)
        switch form {
        case .stream: break
        case .tar(let path):
            if isNew, let tar, try tar.descriptor.status().st_size == 0 { try Files.remove(path) }
        case .directory(let path):
            try Files.remove(path + "/exeat/journal.jsonl")
            unsafe rmdir(path + "/exeat")
            if isNew { unsafe rmdir(path) }
        }
    }
}

extension BagWriter {
    /// The SHA-512 of a committed file, for the second pair of manifests; reads it again.
    ///
    /// - Parameter end: where the tar ended after it was committed.
    public func sha512(of path: BagPath, bytes: Int64, end: Int64) throws(Failure) -> BagDigest {
        var source: FileSource
        switch form {
        case .directory(let root): source = try FileSource(opening: root + "/" + path.text)
        case .tar, .stream:
            guard case .tar = form, let tar else {
                throw Failure(
                    .unsupported, "an archive on standard output cannot have SHA-512 manifests",
                    hint: "Write it to a file, or leave sha512 out of archive.manifests.")
            }
            source = FileSource(
                tar, from: end - Int64(CanonicalTar.padding(after: bytes)) - bytes, size: bytes)
        }
        var digest = try MessageDigest(.sha512)
        var chunk = Chunk()
        repeat {
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe digest.update(bytes) }
        } while !chunk.isEmpty
        guard let found = BagDigest(bytes: digest.finish()) else {
            throw Failure(.failed, "a SHA-512 of another length")
        }
        return found
    }
}
