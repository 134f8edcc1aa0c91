import Basics
import Primitives
import TestKit

/// Streams made by the independent writer of `Tests/Integration/vma_writer.py`.
enum VMASample {
    static let writer: String = {
        var directory = #filePath
        for _ in 0..<2 { directory = Files.parent(of: directory) }
        return directory + "/Integration/vma_writer.py"
    }()

    /// Three disks: with holes in clusters and blocks, an unaligned size, and all zeros.
    static let disks: [(name: String, bytes: [UInt8])] = {
        var generator = Deterministic(seed: 7)
        var first = [UInt8](repeating: 0, count: 9 * 65_536)
        for block in 0..<(first.count / 4096) where generator.next() % 3 != 0 && block / 16 != 4 {
            for index in 0..<4096 {
                first[block * 4096 + index] = UInt8(truncatingIfNeeded: generator.next())
            }
        }
        let second = (0..<(333 * 512)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        return [
            ("drive-scsi0", first), ("drive-virtio1", second),
            ("drive-efidisk0", [UInt8](repeating: 0, count: 540_672)),
        ]
    }()

    static func write(
        _ scratch: TemporaryDirectory, shuffle: Bool = false, seed: Int = 0, slots: Int = 58,
        defect: String? = nil
    ) throws -> [UInt8] {
        var arguments = ["python3", writer, "-", "--seed", "\(seed)", "--slots", "\(slots)"]
        if shuffle { arguments.append("--shuffle") }
        if let defect { arguments += ["--defect", defect] }
        let config = try scratch.file("100.conf", Array("memory: 2048\n".utf8))
        arguments += ["--config", "qemu-server.conf=\(config)"]
        for disk in disks {
            arguments += ["--device", "\(disk.name)=\(try scratch.file(disk.name, disk.bytes))"]
        }
        let result = try Shell.run(arguments)
        guard result.status == 0 else {
            throw Failure(.failed, String(decoding: result.errors, as: UTF8.self))
        }
        return result.output
    }
}

/// The same numbers each time (splitmix64).
struct Deterministic: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
