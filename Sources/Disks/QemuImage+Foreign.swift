import Basics
import Glibc

extension QemuImage {
    /// Looks at an image from elsewhere before any program of QEMU opens it: one that names another file
    /// (a backing file, an external data file, a descriptor with extents) would have that file read
    /// into the copy.
    ///
    /// Reads the header alone (docs/interop/qcow2.txt of QEMU; the specification of VMDK 5.0).
    public func checkForeign() throws(Failure) {
        let file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        guard try file.status().st_mode & S_IFMT == S_IFREG else {
            throw Self.refused(path, "it is no file")
        }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = try Failure.catching {
            try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: 0) }
        }
        let head = Array(bytes[..<count])
        switch format {
        case .raw: break
        case .qcow2: try checkQcow2(head)
        case .vmdk: try checkVMDK(head, file)
        }
    }

    private func checkQcow2(_ head: [UInt8]) throws(Failure) {
        guard head.bigEndian(at: 0, as: UInt32.self) == 0x5146_49fb,
            let version = head.bigEndian(at: 4, as: UInt32.self),
            let backing = head.bigEndian(at: 8, as: UInt64.self),
            let encryption = head.bigEndian(at: 32, as: UInt32.self)
        else { throw Self.refused(path, "it is no qcow2") }
        guard version == 2 || version == 3 else {
            throw Self.refused(path, "it is a qcow2 of version \(version)")
        }
        guard backing == 0 else { throw Self.refused(path, "it stands on another image") }
        guard encryption == 0 else { throw Self.refused(path, "it is encrypted") }
        // Bit 2 of the incompatible features: the data is in another file.
        if version == 3 {
            guard let features = head.bigEndian(at: 72, as: UInt64.self) else {
                throw Self.refused(path, "it is no qcow2")
            }
            guard features & 4 == 0 else { throw Self.refused(path, "its data is in another file") }
        }
    }

    private func checkVMDK(_ head: [UInt8], _ file: borrowing Descriptor) throws(Failure) {
        // "KDMV" and a capacity; without one, QEMU takes what is inside for a list of other files.
        guard head.count == 512, head.starts(with: Array("KDMV".utf8)),
            head[12..<20].contains(where: { $0 != 0 })
        else { throw Self.refused(path, "it is no VMDK that stands alone") }
        // Little-endian sectors: where the descriptor is, and how long.
        func sectors(_ place: Int) -> Int64 {
            head[place..<place + 8].reversed().reduce(0) { ($0 & 0x7f_ffff_ffff) << 8 | Int64($1) }
        }
        let (start, count) = (sectors(28), sectors(36))
        guard start > 0, start < 1 << 20, count > 0, count <= 128 else {
            throw Self.refused(path, "it has no descriptor")
        }
        var bytes = [UInt8](repeating: 0, count: Int(count) * 512)
        _ = try Failure.catching {
            try unsafe bytes.withUnsafeMutableBytes {
                try unsafe file.read(into: $0, at: start * 512)
            }
        }
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        // Case-insensitive, as QEMU and VMware read keys.
        guard !text.lowercased().contains("parentfilenamehint") else {
            throw Self.refused(path, "it stands on another image")
        }
        guard text.contains("monolithicSparse") || text.contains("streamOptimized") else {
            throw Self.refused(path, "it is no VMDK that stands alone")
        }
    }
}
