public import Bags
public import Basics
import Glibc
import Primitives
import Streams

/// `exeat report --proof-only`: an archive without `data/`, and with all documents of its dossier, as
/// a directory or as a tar. A few megabytes that prove what the archive must be.
public struct ProofCopy {
    let bag: any BagContents
    let dossier: Dossier
    let name: BagName
    let folders: [String]

    /// - Parameters:
    ///   - bag: whose proof was found good.
    ///   - folders: where documents lie besides `proof/`.
    public init(
        _ bag: some BagContents, dossier: Dossier, name: BagName, folders: [String]
    ) throws(Failure) {
        if let problem = dossier.problems.first { throw problem.failure }
        self.bag = bag
        self.dossier = dossier
        self.name = name
        self.folders = folders
    }

    /// Writes the copy; a name that ends in `.tar` makes one tar file. Throws `.exists` for an output
    /// that is there.
    ///
    /// - Returns: how many files and bytes it has.
    public func write(to output: String) throws(Failure) -> (files: Int, bytes: Int64) {
        guard !Files.exists(output) else {
            throw Failure(
                .exists, "\"\(output)\" is there already", hint: "Name another output.")
        }
        var files = Dictionary(
            uniqueKeysWithValues: bag.entries.filter { !$0.path.isPayload }.map {
                ($0.path, nil as [UInt8]?)
            })
        for folder in folders {
            for (document, signed) in try DossierFolder(folder).documents() {
                let path = try BagPath("proof/" + document.file)
                guard files[path] == nil, let sshsig = signed.sshsig, let mldsa65 = signed.mldsa65
                else { continue }
                files[path] = signed.bytes
                files[try BagPath("proof/\(document.file).sig")] = sshsig
                files[try BagPath("proof/\(document.file).mldsa65")] = mldsa65
            }
        }
        for folder in folders {
            for (name, bytes) in try DossierFolder(folder).stamps() {
                let path = try BagPath("proof/" + name)
                if files[path] == nil { files[path] = bytes }
            }
        }
        let paths = CanonicalTar.sorted(Array(files.keys))
        var contents: [(path: BagPath, bytes: [UInt8])] = []
        for path in paths {
            if case .some(.some(let bytes)) = files[path] {
                contents.append((path, bytes))
            } else {
                contents.append((path, try bag.read(path, limit: 1 << 30)))
            }
        }
        let bytes = contents.reduce(0) { $0 + Int64($1.bytes.count) }
        if output.hasSuffix(".tar") {
            try writeTar(contents, to: output)
        } else {
            try writeDirectory(contents, to: output)
        }
        return (contents.count, bytes)
    }

    private func writeDirectory(
        _ contents: [(path: BagPath, bytes: [UInt8])], to output: String
    ) throws(Failure) {
        let partial = output + ".partial"
        try Files.remove(partial)
        do throws(Failure) {
            for (path, bytes) in contents {
                let target = partial + "/" + path.text
                try Files.makeDirectory(Files.parent(of: target))
                try Files.write(bytes, to: target)
            }
            try Files.rename(partial, to: output)
        } catch {
            try? Files.remove(partial)
            throw error
        }
    }

    private func writeTar(
        _ contents: [(path: BagPath, bytes: [UInt8])], to output: String
    ) throws(Failure) {
        var tar: [UInt8] = []
        for (path, bytes) in contents {
            tar += try CanonicalTar.header(
                name: name, path: path, size: Int64(bytes.count))
            tar += bytes
            tar += [UInt8](repeating: 0, count: CanonicalTar.padding(after: Int64(bytes.count)))
        }
        tar += CanonicalTar.end
        try Files.write(tar, to: output)
    }
}
