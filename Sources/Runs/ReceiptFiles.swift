public import Basics
import Glibc

/// Puts a receipt and its two signatures into the work directory, and beside the seal where the
/// archive is a directory that may be written to.
///
/// A verifier refuses a file in `proof/` that has no place there, so nothing half done may be seen in
/// it: files are written without a name, and get their names one right after the other.
public struct ReceiptFiles {
    let work: String
    let archive: String

    public init(work: String, archive: String) {
        self.work = work
        self.archive = archive
    }

    private var proof: String { archive + "/proof" }

    /// The document comes last: one that is there is signed.
    public func write(_ files: [(String, [UInt8])]) throws(Failure) {
        for (name, bytes) in files.reversed() { try Files.write(bytes, to: work + "/" + name) }
    }

    /// False when the archive does not take them; then it is as it was.
    public func copy(_ files: [(String, [UInt8])]) -> Bool {
        var made: [String] = []
        do throws(Failure) {
            var status = stat()
            guard unsafe stat(archive, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                return false
            }
            var stored: [(String, [UInt8], SharedFile?)] = []
            for (name, bytes) in files.reversed() {
                stored.append((name, bytes, try unnamed(bytes)))
            }
            for (name, bytes, file) in stored {
                if let file {
                    guard
                        unsafe linkat(
                            AT_FDCWD, "/proc/self/fd/\(file.raw)", AT_FDCWD, proof + "/" + name,
                            AT_SYMLINK_FOLLOW) == 0
                    else { throw Failure(errno: errno, "cannot store \"\(name)\"") }
                } else {
                    guard !Files.exists(proof + "/" + name) else {
                        throw Failure(.exists, "\"\(name)\" is there")
                    }
                    try Files.write(bytes, to: proof + "/" + name)
                }
                made.append(name)
            }
            try Files.syncDirectory(of: proof + "/x")
            return true
        } catch {
            for name in made { try? Files.remove(proof + "/" + name) }
            return false
        }
    }

    /// A synced file in `proof/` that has no name yet; nil on a file system without such files.
    private func unnamed(_ bytes: [UInt8]) throws(Failure) -> SharedFile? {
        let temporary: Int32 = 0o20_000_000 | O_DIRECTORY  // O_TMPFILE, a macro Swift does not see
        let raw = unsafe open(proof, O_WRONLY | temporary | O_CLOEXEC, 0o644)
        guard raw >= 0 else {
            if errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT { return nil }
            throw Failure(errno: errno, "cannot write to \"\(proof)\"")
        }
        let file = SharedFile(Descriptor(owning: raw))
        try file.descriptor.writeAll(bytes)
        try file.descriptor.sync()
        return file
    }

    /// The number of the next receipt, in neither place taken.
    public func nextNumber() -> Int {
        var number = 1
        while Files.exists(work + "/receipt-\(number).json")
            || Files.exists(proof + "/receipt-\(number).json")
        {
            number += 1
        }
        return number
    }

    private final class SharedFile {
        let descriptor: Descriptor
        var raw: Int32 { descriptor.raw }
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Takes back what an import that was killed has left of a receipt in the archive. Only what is
    /// the work directory's own, byte for byte or cut short, is touched.
    public func mend() {
        guard let names = try? Files.names(in: proof) else { return }
        let suffixes = ["", ".sig", ".mldsa65"]
        for name in names where name.hasPrefix("receipt-") {
            let isPartial = name.hasSuffix(".partial")
            let own = isPartial ? String(name.dropLast(8)) : name
            guard let stem = own.split(separator: ".").first else { continue }
            let document = stem + ".json"
            let isWhole = suffixes.allSatisfy { names.contains(document + $0) }
            guard isPartial || !isWhole, Files.kind(proof + "/" + name) == S_IFREG,
                let ours = try? Files.read(work + "/" + own),
                let found = try? Files.read(proof + "/" + name),
                isPartial ? ours.starts(with: found) : ours == found
            else { continue }
            try? Files.remove(proof + "/" + name)
        }
    }
}
