public import Basics
import Dossiers
import Glibc

/// Puts a receipt and its two signatures into the work directory, and beside the seal where the
/// archive is a directory that may be written to, or else beside a tar.
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

    /// Where receipts lie that travel with the archive: in it, or beside a tar.
    private var folder: DossierFolder? {
        var status = stat()
        guard unsafe stat(archive, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR
            ? DossierFolder(archive + "/proof") : DossierFolder.beside(archive)
    }

    /// The folder that has taken them; nil when it does not, and then it is as it was.
    public func copy(_ files: [(String, [UInt8])]) -> String? {
        guard let folder else { return nil }
        do throws(Failure) {
            let isNew = !Files.exists(folder.path)
            if isNew { try Files.makeDirectory(folder.path) }
            do throws(Failure) { try folder.add(files.map { (name: $0.0, bytes: $0.1) }) } catch {
                if isNew { try? Files.remove(folder.path) }
                throw error
            }
            return folder.path
        } catch { return nil }
    }

    /// The number of the next receipt, taken in none of its places.
    public func nextNumber() -> Int {
        var number = 1
        while [work, proof, DossierFolder.beside(archive).path].contains(where: {
            Files.exists($0 + "/receipt-\(number).json")
        }) {
            number += 1
        }
        return number
    }

    /// Takes back what an import that was killed has left of a receipt in the archive, or beside it. Only what is
    /// the work directory's own, byte for byte or cut short, is touched.
    public func mend() {
        guard let proof = folder?.path, let names = try? Files.names(in: proof) else { return }
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
