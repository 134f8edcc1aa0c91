public import Basics
import Primitives
public import Streams

/// Reads a tar stream as GNU tar writes it, member by member: ustar, GNU's and pax's forms, long names,
/// extended attributes, files with holes in each of their four forms.
///
/// What is damaged throws `tarHeader` or `truncated`; what is of another program, `unsupported`.
/// Blocks: call it on a `Lane`.
public struct TarReader<Source: ByteSource & ~Copyable>: ~Copyable {
    private var input: StreamInput<Source>
    private var block = Chunk(capacity: 512)
    private var global = TarRecords()
    /// What is left of the data of the member at hand: where it belongs, and the filling behind it.
    private var runs: [TarRecords.Run] = []
    private var filling: Int64 = 0
    private var isEnded = false

    /// Largest extended header, and largest name.
    private static var largestRecords: Int64 { 16 << 20 }

    public init(_ source: consuming Source) { input = StreamInput(source) }

    /// The next member; nil behind the two blocks of zeros and what fills the last record.
    public mutating func next() throws(Failure) -> TarMember? {
        if isEnded { return nil }
        try unsafe readData { (_, _) throws(Failure) in }
        var records = global
        var longName: [UInt8]?
        var longLink: [UInt8]?
        while true {
            guard let header = try nextHeader() else {
                try checkEnd()
                isEnded = true
                return nil
            }
            switch header.flag {
            case 0x78: try records.read(try text(of: header))
            case 0x67:
                try global.read(try text(of: header))
                records = global
            case 0x4c: longName = Array(try text(of: header).prefix { $0 != 0 })
            case 0x4b: longLink = Array(try text(of: header).prefix { $0 != 0 })
            default: return try member(header, records, longName, longLink)
            }
        }
    }

    /// Hands the data of the member at hand to `body`: bytes and where they belong. Holes are left out.
    public mutating func readData(
        _ body: (UnsafeRawBufferPointer, Int64) throws(Failure) -> Void
    ) throws(Failure) {
        for run in runs {
            var done: Int64 = 0
            while done < run.length {
                let place = run.offset + done
                var count = 0
                let isThere = try unsafe input.take(
                    upTo: Int(min(run.length - done, 1 << 20))
                ) { (bytes) throws(Failure) in
                    count = bytes.count
                    try unsafe body(bytes, place)
                }
                guard isThere else { throw truncated() }
                done += Int64(count)
            }
        }
        runs = []
        try skip(filling)
        filling = 0
    }

    /// The digest of the data of the member at hand, whatever its holes: `sha256` up to 16 MiB,
    /// `sha256-tree-1m` above.
    public mutating func digest(of member: TarMember) throws(Failure) -> Digest256 {
        var hasher = ContentHasher(member.size)
        try unsafe readData { (bytes, place) throws(Failure) in
            unsafe hasher.update(bytes, at: place)
        }
        return hasher.finish()
    }

    // MARK: - Headers

    private mutating func nextHeader() throws(Failure) -> TarBlock? {
        let bytes = try nextBlock()
        if bytes.allSatisfy({ $0 == 0 }) { return nil }
        return try TarBlock(bytes)
    }

    private mutating func nextBlock() throws(Failure) -> [UInt8] {
        block.removeAll()
        try input.fill(&block, to: 512)
        guard block.count == 512 else { throw truncated() }
        return try unsafe block.withBytes { (bytes) throws(Failure) in unsafe Array(bytes) }
    }

    /// The first block of zeros was read: another one must follow, and nothing else behind it.
    private mutating func checkEnd() throws(Failure) {
        var count: Int64 = 0
        var isZero = true
        var isMore = true
        while isZero, isMore {
            isMore = try unsafe input.take(upTo: 1 << 20) { (bytes) throws(Failure) in
                count += Int64(bytes.count)
                isZero = unsafe bytes.allSatisfy { $0 == 0 }
            }
        }
        guard isZero else { throw TarBlock.malformed("something stands behind its end") }
        guard count >= 512 else { throw truncated() }
    }

    private mutating func text(of header: TarBlock) throws(Failure) -> [UInt8] {
        let size = try header.number(124..<136)
        guard (0...Self.largestRecords).contains(size) else {
            throw TarBlock.malformed("an extended header has \(size) bytes")
        }
        let text = try portion(Int(size))
        try skip(Self.filling(behind: size))
        return text
    }

    private mutating func portion(_ count: Int) throws(Failure) -> [UInt8] {
        if count == 0 { return [] }
        var chunk = Chunk(capacity: count)
        try input.fill(&chunk, to: count)
        guard chunk.count == count else { throw truncated() }
        return try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe Array(bytes) }
    }

    private mutating func skip(_ count: Int64) throws(Failure) {
        var left = count
        while left > 0 {
            var taken = 0
            let isThere = try unsafe input.take(upTo: Int(min(left, 1 << 20))) {
                (bytes) throws(Failure) in taken = bytes.count
            }
            guard isThere else { throw truncated() }
            left -= Int64(taken)
        }
    }

    private static func filling(behind size: Int64) -> Int64 { (512 - size % 512) % 512 }

    private func truncated() -> Failure {
        Failure(.truncated, "the tar stream ends after \(input.offset) bytes")
    }

    // MARK: - Members

    private mutating func member(
        _ header: TarBlock, _ records: TarRecords, _ longName: [UInt8]?, _ longLink: [UInt8]?
    ) throws(Failure) -> TarMember {
        let isOldSparse = header.flag == 0x53
        let name = records.sparseName ?? records.path ?? longName ?? header.name
        var kind: TarMember.Kind? =
            isOldSparse || header.flag == 0 || header.flag == 0x37
            ? .file : TarMember.Kind(rawValue: header.flag)
        // Before POSIX directories were files whose name ends with a slash.
        if header.flag == 0, name.last == 0x2f { kind = .directory }
        guard let kind else {
            throw Failure(
                .unsupported, "the tar stream has a member of the kind \(header.flag)")
        }
        var stored: Int64 = 0
        if kind == .file {
            if let size = records.size {
                stored = size
            } else {
                stored = try header.number(124..<136)
            }
        }
        guard stored >= 0 else { throw TarBlock.malformed("a size is negative") }
        let link = records.link ?? longLink ?? header.link
        let isDevice = kind == .characterDevice || kind == .blockDevice
        var member = TarMember(
            path: TarMember.normalised(name), kind: kind,
            mode: UInt32(try header.count(100..<108) & 0o7777),
            owner: try header.count(108..<116), group: try header.count(116..<124),
            modified: (try header.number(136..<148), 0), size: stored,
            link: kind == .hardLink
                ? TarMember.normalised(link) : kind == .symbolicLink ? link : [],
            device: isDevice ? (try header.count(329..<337), try header.count(337..<345)) : (0, 0),
            attributes: records.attributes)
        if let owner = records.owner { member.owner = UInt64(owner) }
        if let group = records.group { member.group = UInt64(group) }
        if let modified = records.modified { member.modified = modified }
        var left = stored
        if isOldSparse {
            runs = try oldMap(header)
            member.size = try header.number(483..<495)
        } else if kind == .file, records.isSparse {
            member.size = records.sparseSize ?? stored
            runs = records.hasMapInData ? try mapInData(&left) : records.runs
        } else if stored > 0 {
            runs = [TarRecords.Run(0, stored)]
        }
        try checkRuns(left, member.size)
        filling = Self.filling(behind: stored)
        return member
    }

    /// Runs follow each other within the file, and are what is stored.
    private func checkRuns(_ stored: Int64, _ size: Int64) throws(Failure) {
        var end: Int64 = 0
        var sum: Int64 = 0
        for run in runs {
            guard run.offset >= end, run.length >= 0, run.length <= size - run.offset else {
                throw TarBlock.malformed("the map of a file with holes is none")
            }
            end = run.offset + run.length
            sum += run.length
        }
        guard sum == stored, end <= size else {
            throw TarBlock.malformed("the map of a file with holes is not of its data")
        }
    }

    /// GNU's own form: four runs in the header, and 21 in each block behind it.
    private mutating func oldMap(_ header: TarBlock) throws(Failure) -> [TarRecords.Run] {
        var runs: [TarRecords.Run] = []
        func take(_ block: TarBlock.Fields, _ places: Int, from start: Int) throws(Failure) {
            for place in 0..<places {
                let field = start + 24 * place
                let length = try block.number(field + 12..<field + 24)
                let offset = try block.number(field..<field + 12)
                if offset == 0, length == 0 { continue }
                runs.append((offset, length))
            }
        }
        try take(header.fields, 4, from: 386)
        var isFollowed = header.bytes[482] != 0
        while isFollowed {
            let block = try nextBlock()
            try take(TarBlock.Fields(block), 21, from: 0)
            isFollowed = block[504] != 0
            guard runs.count <= TarRecords.mostRuns else {
                throw TarBlock.malformed("the map of a file with holes is none")
            }
        }
        return runs
    }

    /// Form 1.0: lines of numbers before the data, filled up to a block.
    private mutating func mapInData(_ left: inout Int64) throws(Failure) -> [TarRecords.Run] {
        var numbers: [Int64] = []
        var digits: [UInt8] = []
        var wanted = 1
        while numbers.count < wanted {
            guard left >= 512 else {
                throw TarBlock.malformed("the map of a file with holes is cut off")
            }
            left -= 512
            for byte in try nextBlock() where numbers.count < wanted {
                if byte != 0x0a {
                    digits.append(byte)
                    continue
                }
                guard let number = TarRecords.decimal(digits) else {
                    throw TarBlock.malformed("the map of a file with holes is none")
                }
                digits.removeAll(keepingCapacity: true)
                numbers.append(number)
                if numbers.count == 1 {
                    guard number <= TarRecords.mostRuns else {
                        throw TarBlock.malformed("the map of a file with holes is none")
                    }
                    wanted = 1 + 2 * Int(number)
                }
            }
            guard digits.count <= 20 else {
                throw TarBlock.malformed("the map of a file with holes is none")
            }
        }
        return stride(from: 1, to: numbers.count, by: 2).map { place in
            (offset: numbers[place], length: numbers[place + 1])
        }
    }
}

/// Takes the digest of visible bytes that come in pieces, with zeros between them.
private struct ContentHasher: ~Copyable {
    private let size: Int64
    private var tree = TreeHasher()
    private var plain = SHA256()
    private var position: Int64 = 0

    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    init(_ size: Int64) { self.size = size }

    private var isTree: Bool { size > 16 << 20 }

    mutating func update(_ bytes: UnsafeRawBufferPointer, at place: Int64) {
        fill(to: place)
        if isTree { unsafe tree.update(bytes) } else { unsafe plain.update(bytes) }
        position += Int64(bytes.count)
    }

    mutating func finish() -> Digest256 {
        fill(to: size)
        return isTree ? tree.finish().root : plain.finish()
    }

    private mutating func fill(to place: Int64) {
        if isTree {
            tree.update(zeros: place - position)
            position = place
        }
        while position < place {
            let count = min(place - position, Int64(Self.zeros.count))
            unsafe Self.zeros.withUnsafeBytes {
                unsafe plain.update(UnsafeRawBufferPointer(rebasing: $0[..<Int(count)]))
            }
            position += count
        }
    }
}
