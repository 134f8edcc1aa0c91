import Basics
import CLinux
import Glibc

/// A directory that a walk is in: its names, in the order in which they are met.
struct WalkLevel {
    /// Why everything below a directory is left out.
    enum Omission: Equatable {
        case mountPoint
        case excluded(pattern: Int)
    }

    enum Mode {
        /// Above the directories given: only the way to them counts.
        case way
        /// Part of the tree, on the file system of that number.
        case inside(device: UInt64)
        /// Left out, but directories that were given lie below.
        case omitted(Omission)
    }

    /// A place in the order of full paths. A directory has two: its name, where its entry comes,
    /// and its name with a slash, where what it holds comes ("a", "a-b", "a/x").
    struct Key {
        /// The first eight bytes, big-endian, so that most comparisons are one of integers.
        var prefix: UInt64
        var offset: UInt32
        var length: UInt16
        var descends: Bool
        /// As the directory told it; 0 when it did not.
        var kind: UInt8
    }

    /// A directory whose entry has been given and that is still to be entered.
    ///
    /// What comes between the two begins with its name, so these nest: the last is entered first.
    struct Descent {
        var name: UInt32
        var status: WalkedStatus
        var mode: Mode
        /// Open already when it is entered next, else -1.
        var descriptor: Int32
    }

    var descriptor: Int32 = -1
    var device: UInt64 = 0
    var inode: UInt64 = 0
    /// How long the directory's own path is.
    var pathLength = 0
    var mode = Mode.way
    /// Each name with a NUL behind it.
    private(set) var names: [UInt8] = []
    private(set) var keys: [Key] = []
    var position = 0
    var descents: [Descent] = []

    /// Makes the level ready for another directory; what it has allocated stays, unless it is much.
    mutating func reset() {
        let keeps = names.capacity < 1 << 20
        names.removeAll(keepingCapacity: keeps)
        keys.removeAll(keepingCapacity: keeps)
        descents.removeAll(keepingCapacity: true)
        position = 0
    }

    mutating func append(_ name: some Collection<UInt8>, kind: UInt8) {
        let offset = UInt32(names.count)
        names.append(contentsOf: name)
        names.append(0)
        let length = UInt16(name.count)
        let key = Key(
            prefix: prefix(offset, length, descends: false), offset: offset, length: length,
            descends: false, kind: kind)
        keys.append(key)
        if kind == UInt8(DT_DIR) || kind == UInt8(DT_UNKNOWN) { keys.append(descending(key)) }
    }

    /// Takes the names out of the records of getdents64(2).
    mutating func append(records: UnsafeRawBufferPointer) {
        var rest = unsafe records[...]
        while unsafe rest.count > Int(exeat_dirent_name) {
            let record = unsafe UnsafeRawBufferPointer(rebasing: rest)
            let length = unsafe Int(
                record.loadUnaligned(fromByteOffset: Int(exeat_dirent_length), as: UInt16.self))
            let kind = unsafe record[Int(exeat_dirent_kind)]
            let name = unsafe record[Int(exeat_dirent_name)..<length].prefix { $0 != 0 }
            let isDots = unsafe name.count < 3 && name.allSatisfy { $0 == 0x2e }
            if !isDots { unsafe append(name, kind: kind) }
            unsafe rest = rest.dropFirst(length)
        }
    }

    mutating func sort() {
        let names = self.names
        unsafe names.withUnsafeBufferPointer { bytes in
            keys.sort { unsafe Self.precedes($0, $1, bytes) }
        }
    }

    /// Plans to enter an object that turned out to be a directory though its record said otherwise.
    mutating func insertDescent(of key: Key) {
        let new = descending(key)
        let names = self.names
        let place = unsafe names.withUnsafeBufferPointer { bytes in
            keys[position...].firstIndex { unsafe Self.precedes(new, $0, bytes) } ?? keys.count
        }
        keys.insert(new, at: place)
    }

    /// Calls `body` with a name as a C string.
    func withName<Result>(
        at offset: UInt32, _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Failure.catching {
            try unsafe names.withUnsafeBytes { bytes in
                try unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                    guard let start = characters.baseAddress else {
                        throw Failure(.failed, "a directory without names")
                    }
                    return try unsafe body(start + Int(offset))
                }
            }
        }
    }

    private func descending(_ key: Key) -> Key {
        var key = key
        key.descends = true
        key.prefix = prefix(key.offset, key.length, descends: true)
        return key
    }

    private func prefix(_ offset: UInt32, _ length: UInt16, descends: Bool) -> UInt64 {
        var prefix: UInt64 = 0
        for index in 0..<8 {
            let byte: UInt8 =
                index < Int(length)
                ? names[Int(offset) + index] : index == Int(length) && descends ? 0x2f : 0
            prefix = prefix << 8 | UInt64(byte)
        }
        return prefix
    }

    private static func precedes(
        _ left: Key, _ right: Key, _ names: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        let shared = Int(min(left.length, right.length))
        var index = 8
        while index < shared {
            let first = unsafe names[Int(left.offset) + index]
            let second = unsafe names[Int(right.offset) + index]
            if first != second { return first < second }
            index += 1
        }
        // Behind the name stands a slash or nothing; nothing comes before everything.
        func byte(_ key: Key) -> Int {
            if shared < Int(key.length) { return unsafe Int(names[Int(key.offset) + shared]) }
            return key.descends ? 0x2f : -1
        }
        return byte(left) < byte(right)
    }
}
