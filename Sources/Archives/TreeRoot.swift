import Basics
import CLinux
import Glibc

/// A directory from which everything below is reached, and nothing else: no component of a path is
/// followed if it is a link, and none leads upwards (openat2(2), RESOLVE_BENEATH and
/// RESOLVE_NO_SYMLINKS).
public final class TreeRoot: Sendable {
    public let descriptor: Descriptor
    /// For messages.
    public let path: String

    /// Opens an existing directory; a link at the end of `path` itself is followed.
    public init(_ path: String) throws(Failure) {
        self.path = path
        descriptor = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
    }
}

/// One lane's way through a tree: remembers the directory opened last, because entries that follow
/// each other in path order mostly lie in the same one.
public struct TreeCursor: ~Copyable {
    private let root: TreeRoot
    private var directory: Descriptor?
    private var directoryPath: [UInt8] = []
    /// The last component as a C string, kept for its memory.
    private var name: [UInt8] = []

    public init(_ root: TreeRoot) { self.root = root }

    /// Calls `body` with the descriptor (O_PATH) of the directory that holds `path`, and the last
    /// component as a C string. For the root itself the name is ".".
    ///
    /// Paths of any length work, longer than PATH_MAX too.
    public mutating func withParent<Result>(
        of path: [UInt8], _ body: (Int32, UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let slash = path.lastIndex(of: 0x2f)
        let parent = slash.map { path[..<$0] } ?? []
        name.removeAll(keepingCapacity: true)
        name.append(contentsOf: path[(slash.map { $0 + 1 } ?? 0)...])
        if name.isEmpty { name.append(0x2e) }
        name.append(0)
        try enter(parent)
        let raw = directory?.raw ?? root.descriptor.raw
        return try Failure.catching {
            try unsafe name.withUnsafeBufferPointer { pointer in
                try unsafe pointer.withMemoryRebound(to: CChar.self) { characters in
                    guard let start = characters.baseAddress else {
                        throw Failure(.failed, "an empty name")
                    }
                    return try unsafe body(raw, start)
                }
            }
        }
    }

    /// Forgets the directory, for instance because it was replaced.
    public mutating func forget() {
        directory = nil
        directoryPath = []
    }

    private mutating func enter(_ parent: ArraySlice<UInt8>) throws(Failure) {
        if directoryPath.elementsEqual(parent) { return }
        forget()
        if parent.isEmpty { return }
        var rest = parent
        var current: Descriptor?
        while !rest.isEmpty {
            // A step takes as many whole components as fit in one call.
            var step = rest.prefix(4000)
            if step.endIndex < rest.endIndex, rest[step.endIndex] != 0x2f {
                guard let cut = step.lastIndex(of: 0x2f) else {
                    throw Failure(.treePathUnsafe, "a name is longer than the system allows")
                }
                step = rest[rest.startIndex..<cut]
            }
            let next = try Self.open(step, in: current?.raw ?? root.descriptor.raw)
            current = consume next
            rest = rest[step.endIndex...]
            if rest.first == 0x2f { rest = rest.dropFirst() }
        }
        directory = consume current
        directoryPath = Array(parent)
    }

    private static func open(
        _ path: ArraySlice<UInt8>, in directory: Int32
    ) throws(Failure) -> Descriptor {
        var text = path.map { CChar(bitPattern: $0) }
        text.append(0)
        let flags = exeat_o_path | O_DIRECTORY | O_CLOEXEC
        let resolve =
            exeat_resolve_beneath | exeat_resolve_no_symlinks | exeat_resolve_no_magiclinks
        let raw = retrying {
            unsafe exeat_openat2(directory, text, UInt64(flags), 0, resolve)
        }
        guard raw >= 0 else {
            let name = String(decoding: path, as: UTF8.self)
            if errno == ELOOP || errno == EXDEV {
                throw Failure(
                    .treePathUnsafe,
                    "the way to \"\(name)\" leads through a link or outside the tree")
            }
            throw Failure(errno: errno, "cannot open the directory \"\(name)\"")
        }
        return Descriptor(owning: raw)
    }
}
