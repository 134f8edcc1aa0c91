public import Basics
import Glibc
public import Streams

/// A bag as a directory. Nothing in it is followed: every step down is an `openat` with
/// `O_NOFOLLOW`, from the directory that was opened first.
public struct BagDirectory: BagStorage {
    public let entries: [BagEntry]
    public let problems: [BagProblem]
    public var name: BagName? { nil }
    private let root: SharedDescriptor

    /// Lists the directory. What is no plain file, or has a path that a bag cannot have, becomes a
    /// problem; only a directory that cannot be listed throws.
    public init(opening path: String) throws(Failure) {
        let descriptor = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
        root = SharedDescriptor(descriptor, name: "\"\(path)\"")
        var walk = Walk()
        try walk.list(root.descriptor, [], depth: 0)
        entries = walk.entries.sorted { $0.path < $1.path }
        problems = walk.problems
    }

    public func source(of entry: BagEntry) throws(Failure) -> FileSource {
        let components = entry.path.components.map(String.init)
        var file = try Self.step(root.descriptor.raw, components, 0, entry)
        for index in components.indices.dropFirst() {
            file = try Self.step(file.raw, components, index, entry)
        }
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.bagFileKind, "\"\(entry.path)\" is not a plain file")
        }
        guard Int64(status.st_size) == entry.size else {
            throw Failure(.bagFileChanged, "\"\(entry.path)\" changed its size while it was read")
        }
        return FileSource(
            SharedDescriptor(file, name: "\"\(entry.path)\""), from: 0, size: entry.size)
    }

    private static func step(
        _ directory: Int32, _ components: [String], _ index: Int, _ entry: BagEntry
    ) throws(Failure) -> Descriptor {
        let isLast = index == components.count - 1
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (isLast ? O_NONBLOCK : O_DIRECTORY)
        let raw = retrying { unsafe openat(directory, components[index], flags) }
        if raw >= 0 { return Descriptor(owning: raw) }
        switch errno {
        case ENOENT: throw Failure(.bagFileMissing, "\"\(entry.path)\" is not there")
        case ELOOP, ENOTDIR: throw Failure(.bagFileKind, "\"\(entry.path)\" is reached by a link")
        default: throw Failure(errno: errno, "cannot open \"\(entry.path)\"")
        }
    }
}

/// One listing of a directory, depth first.
private struct Walk {
    var entries: [BagEntry] = []
    var problems: [BagProblem] = []
    private let deepest = 8

    mutating func list(
        _ directory: borrowing Descriptor, _ prefix: [UInt8], depth: Int
    ) throws(Failure) {
        let names = try Self.names(in: directory, prefix)
        if names.isEmpty, prefix != Array("data/".utf8) {
            refuse(prefix, .bagDirectoryEmpty, "is an empty directory")
        }
        for name in names {
            let path = prefix + name.dropLast().map { UInt8(bitPattern: $0) }
            var status = stat()
            guard unsafe fstatat(directory.raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw Failure(errno: errno, "cannot stat \"\(BagPath.shown(path))\"")
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try descend(directory, name, path, depth)
            case S_IFREG: take(path, Int64(status.st_size))
            case S_IFLNK: refuse(path, .bagFileKind, "is a symbolic link")
            default: refuse(path, .bagFileKind, "is a device, pipe or socket")
            }
            guard entries.count + problems.count <= BagLimit.files else {
                throw Failure(.bagFileUnexpected, "the bag has more than \(BagLimit.files) files")
            }
        }
    }

    private mutating func descend(
        _ directory: borrowing Descriptor, _ name: [CChar], _ path: [UInt8], _ depth: Int
    ) throws(Failure) {
        // The private state of an open run: listed by nobody, so said once and not entered.
        if path == Array(".exeat-run".utf8) || path == Array("proof.partial".utf8) {
            problems.append(.init(BagPath.shown(path) + "/", BagPart.unfinished()))
            return
        }
        guard depth < deepest else { return refuse(path, .bagPathUnsafe, "is nested too deeply") }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let raw = retrying { unsafe openat(directory.raw, name, flags) }
        guard raw >= 0 else {
            throw Failure(errno: errno, "cannot open \"\(BagPath.shown(path))\"")
        }
        try list(Descriptor(owning: raw), path + [0x2f], depth: depth + 1)
    }

    private mutating func take(_ path: [UInt8], _ size: Int64) {
        do throws(Failure) {
            entries.append(BagEntry(path: try BagPath(bytes: path), size: size))
        } catch { problems.append(BagProblem(BagPath.shown(path), error)) }
    }

    private mutating func refuse(_ path: [UInt8], _ code: Failure.Code, _ what: String) {
        let shown = BagPath.shown(path)
        problems.append(BagProblem(shown, Failure(code, "\"\(shown)\" \(what)")))
    }

    /// The names, each with its closing zero, sorted by bytes.
    private static func names(
        in directory: borrowing Descriptor, _ prefix: [UInt8]
    ) throws(Failure) -> [[CChar]] {
        let failed = "cannot list \"\(BagPath.shown(prefix))\""
        // A stream closes its descriptor, so it gets its own.
        let copy = unsafe openat(directory.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw Failure(errno: errno, failed) }
        guard let stream = unsafe fdopendir(copy) else {
            close(copy)
            throw Failure(errno: errno, failed)
        }
        defer { unsafe closedir(stream) }
        var names: [[CChar]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                }
            }
            if name != [0x2e, 0], name != [0x2e, 0x2e, 0] { names.append(name) }
        }
        guard errno == 0 else { throw Failure(errno: errno, failed) }
        return names.sorted {
            $0.lazy.map(UInt8.init(bitPattern:)).lexicographicallyPrecedes(
                $1.lazy.map(UInt8.init(bitPattern:)))
        }
    }
}
