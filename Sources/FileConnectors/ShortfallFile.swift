import Archives
import Basics
import Synchronization

/// The shortfalls of an import in its work directory: what an interrupted import could not set is
/// still a shortfall, and no difference, when another run resumes and compares.
final class ShortfallFile: Sendable {
    private let path: String
    /// How many the file has.
    private let written: Mutex<Int>
    let list: ShortfallList

    /// Reads the file where there is one.
    init(_ path: String) throws(Failure) {
        self.path = path
        let saved = Files.exists(path) ? try Self.read(path) : ShortfallList.Saved()
        list = ShortfallList(saved)
        written = Mutex(saved.list.count + saved.beyond)
    }

    /// Brings what is new to the disk. Comes before a segment is noted as done.
    func save() throws(Failure) {
        try written.withLock { (written) throws(Failure) in
            let saved = list.saved
            let count = saved.list.count + saved.beyond
            guard count != written else { return }
            var writer = try RecordWriter(path + ".new")
            try writer.append(UInt32(saved.list.count))
            for shortfall in saved.list {
                try writer.append(counted: shortfall.path)
                try Self.append(shortfall.attribute, to: &writer)
                try writer.append(shortfall.errno)
            }
            try writer.append(Int64(saved.beyond))
            try writer.append(UInt32(saved.kindsBeyond.count))
            for attribute in saved.kindsBeyond { try Self.append(attribute, to: &writer) }
            try writer.finish()
            try Files.rename(path + ".new", to: path)
            written = count
        }
    }

    private static func read(_ path: String) throws(Failure) -> ShortfallList.Saved {
        var reader = try RecordReader(path)
        var saved = ShortfallList.Saved()
        for _ in 0..<(try reader.number(UInt32.self)) {
            let path = Array(try reader.counted())
            let attribute = try attribute(from: &reader)
            let number = try reader.number(Int32.self)
            saved.list.append(Shortfall(path: path, attribute: attribute, errno: number))
        }
        saved.beyond = Int(try reader.number(Int64.self))
        for _ in 0..<(try reader.number(UInt32.self)) {
            saved.kindsBeyond.insert(try attribute(from: &reader))
        }
        return saved
    }

    private static let simple: [Shortfall.Attribute] = [
        .owner, .mode, .modified, .accessACL, .defaultACL, .object, .existing,
    ]

    private static func append(
        _ attribute: Shortfall.Attribute, to writer: inout RecordWriter
    ) throws(Failure) {
        if case .extended(let name) = attribute {
            try writer.append(UInt8.max)
            return try writer.append(counted: name)
        }
        try writer.append(UInt8(simple.firstIndex(of: attribute) ?? 0))
    }

    private static func attribute(
        from reader: inout RecordReader
    ) throws(Failure) -> Shortfall.Attribute {
        let number = try reader.number(UInt8.self)
        if number == .max { return .extended(Array(try reader.counted())) }
        guard simple.indices.contains(Int(number)) else {
            throw Failure(.truncated, "the list of shortfalls in the work directory is damaged")
        }
        return simple[Int(number)]
    }
}
