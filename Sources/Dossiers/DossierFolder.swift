import Bags
public import Basics
import Glibc
public import Signatures

/// A folder with documents of a dossier: `proof/` of an archive, the folder beside a tar, the work
/// directory of an import, or what --dossier names.
public struct DossierFolder: Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// Where the documents of an archive that cannot hold them are kept: beside `a.tar` in
    /// `a.proof`.
    public static func beside(_ archive: String) -> DossierFolder {
        let stem = archive.hasSuffix(".tar") ? String(archive.dropLast(4)) : archive
        return DossierFolder(stem + ".proof")
    }

    /// The documents that are there, each with its signatures; no folder has none.
    func documents() throws(Failure) -> [ProofDocument: SignedBytes] {
        guard let kind = Files.kind(path) else { return [:] }
        guard kind == S_IFDIR || kind == S_IFLNK else {
            throw Failure(.invalidValue, "\"\(path)\" is no folder of documents")
        }
        var documents: [ProofDocument: SignedBytes] = [:]
        let names = try Files.names(in: path)
        for name in names {
            guard let document = ProofDocument(file: name) else { continue }
            documents[document] = SignedBytes(
                bytes: try read(name, limit: 1 << 24),
                sshsig: names.contains(name + ".sig")
                    ? try read(name + ".sig", limit: 1 << 14) : nil,
                mldsa65: names.contains(name + ".mldsa65")
                    ? try read(name + ".mldsa65", limit: 1 << 14) : nil)
        }
        return documents
    }

    /// The time-stamps that are there, by their names in `proof/`, and with a closing one the list that it
    /// is about.
    public func stamps() throws(Failure) -> [(name: String, bytes: [UInt8])] {
        guard Files.kind(path) == S_IFDIR else { return [] }
        let names = try Files.names(in: path)
        let tokens = names.filter { StampPlace(token: $0) != nil }
        let list = "timestamped.txt"
        let hasList =
            names.contains(list) && tokens.contains { StampPlace(token: $0)?.kind == .closing }
        var found: [(name: String, bytes: [UInt8])] = []
        for name in tokens + (hasList ? [list] : []) {
            found.append((name, try read(name, limit: 1 << 20)))
        }
        return found
    }

    private func read(_ name: String, limit: Int) throws(Failure) -> [UInt8] {
        // A folder that others can write to may hold a pipe by this name.
        guard Files.kind(path + "/" + name) == S_IFREG else {
            throw Failure(.bagFileKind, "\"\(path)/\(name)\" is not a plain file")
        }
        return try Files.read(path + "/" + name, limit: limit)
    }

    // MARK: - Writing

    /// Adds a document and its signatures; all of it, or nothing. The document comes last: one that
    /// is there is signed.
    ///
    /// A verifier refuses a file in `proof/` that has no place there, so nothing half done may be
    /// seen in it: files are written without a name, and get their names one right after the other.
    /// Throws `.exists` rather than put a document in the place of another.
    public func add(_ files: [(name: String, bytes: [UInt8])]) throws(Failure) {
        var made: [String] = []
        do throws(Failure) {
            for (name, _) in files where Files.exists(path + "/" + name) {
                throw Failure(
                    .exists, "\"\(path)/\(name)\" is there already",
                    hint: "A document of the dossier is never replaced.")
            }
            var stored: [(name: String, bytes: [UInt8], file: Unnamed?)] = []
            for (name, bytes) in files.reversed() {
                stored.append((name, bytes, try unnamed(bytes)))
            }
            for (name, bytes, file) in stored {
                if let file {
                    guard
                        unsafe linkat(
                            AT_FDCWD, "/proc/self/fd/\(file.descriptor.raw)", AT_FDCWD,
                            path + "/" + name, AT_SYMLINK_FOLLOW) == 0
                    else { throw Failure(errno: errno, "cannot store \"\(path)/\(name)\"") }
                } else {
                    try Files.write(bytes, to: path + "/" + name)
                }
                made.append(name)
            }
            try Files.syncDirectory(of: path + "/x")
        } catch {
            for name in made { try? Files.remove(path + "/" + name) }
            throw error
        }
    }

    /// Takes back what somebody with these keys has left of a document when he was interrupted:
    /// signatures of his without a document.
    public func mend(_ pair: PublicKeyPair) {
        guard let names = try? Files.names(in: path) else { return }
        for name in names where name.hasSuffix(".sig") {
            let document = String(name.dropLast(4))
            guard ProofDocument(file: document) != nil, !names.contains(document),
                let signature = try? read(name, limit: 1 << 14), pair.isSigner(of: signature)
            else { continue }
            // First the one that does not say whose it is.
            for suffix in [".mldsa65", ".sig"] where names.contains(document + suffix) {
                try? Files.remove(path + "/" + document + suffix)
            }
        }
    }

    /// A synced file in the folder that has no name yet; nil on a file system without such files.
    private func unnamed(_ bytes: [UInt8]) throws(Failure) -> Unnamed? {
        let temporary: Int32 = 0o20_000_000 | O_DIRECTORY  // O_TMPFILE, a macro Swift does not see
        let raw = unsafe open(path, O_WRONLY | temporary | O_CLOEXEC, 0o644)
        guard raw >= 0 else {
            if errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT { return nil }
            throw Failure(errno: errno, "cannot write to \"\(path)\"")
        }
        let file = Unnamed(Descriptor(owning: raw))
        try file.descriptor.writeAll(bytes)
        try file.descriptor.sync()
        return file
    }

    private final class Unnamed {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }
}
