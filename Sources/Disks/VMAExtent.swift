import Basics
import Primitives

/// The header of an extent: up to 59 clusters, with the blocks that are stored of each.
struct VMAExtent: ~Copyable {
    struct Slot {
        /// The number of the device; 0 for a slot that is not used.
        let device: UInt8
        let cluster: Int64
        /// A bit for each stored block, the first block lowest.
        let mask: UInt16
    }

    /// Where the extent begins in the stream, for messages.
    private let offset: Int64
    private let uuid: (UInt64, UInt64)

    init(offset: Int64, uuid: (UInt64, UInt64)) {
        self.offset = offset
        self.uuid = uuid
    }

    /// Checks everything that the header alone can tell.
    func check(_ header: UnsafeRawBufferPointer) throws(Failure) {
        guard unsafe header.loadUnaligned(as: UInt32.self).bigEndian == 0x564d_4145 else {
            throw malformed("no extent where one must begin")
        }
        guard unsafe MD5.guards(header, at: 24) else {
            throw malformed("the header of the extent fails its checksum")
        }
        guard unsafe header.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == 0 else {
            throw malformed("reserved bytes of the extent are used")
        }
        let own = unsafe (
            header.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            header.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        )
        guard own == uuid else {
            throw malformed("the extent belongs to another backup: its UUID is another one")
        }
        let declared = unsafe Int(
            header.loadUnaligned(fromByteOffset: 6, as: UInt16.self).bigEndian)
        var stored = 0
        for index in 0..<VMA.slots {
            let slot = unsafe Self.slot(index, in: header)
            if slot.device != 0 { stored += slot.mask.nonzeroBitCount }
        }
        guard declared == stored else {
            throw malformed("the extent declares \(declared) blocks and lists \(stored)")
        }
    }

    static func slot(_ index: Int, in header: UnsafeRawBufferPointer) -> Slot {
        let value = unsafe header.loadUnaligned(
            fromByteOffset: 40 + 8 * index, as: UInt64.self
        ).bigEndian
        return Slot(
            device: UInt8(truncatingIfNeeded: value >> 32),
            cluster: Int64(value & 0xffff_ffff),
            mask: UInt16(truncatingIfNeeded: value >> 48))
    }

    private func malformed(_ what: String) -> Failure {
        VMA.malformed("\(what) (offset \(offset))")
    }
}
