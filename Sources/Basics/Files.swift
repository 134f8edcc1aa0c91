import Glibc

/// Small files and directories by path: what a run keeps beside the byte stream.
public enum Files {
    /// The whole file; refuses more than `limit` bytes, so that a hostile one cannot fill memory.
    public static func read(_ path: String, limit: Int = 64 << 20) throws(Failure) -> [UInt8] {
        let file = try Descriptor(opening: path, O_RDONLY)
        let size = try file.status().st_size
        guard size <= limit else {
            throw Failure(.invalidValue, "\"\(path)\" is larger than \(limit) bytes")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count: Int
            do throws(Failure) {
                count = try Failure.catching {
                    try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                }
            } catch { throw error.during("cannot read \"\(path)\"") }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw Failure(.invalidValue, "\"\(path)\" is larger than \(limit) bytes")
            }
        }
    }

    public static func readText(_ path: String) throws(Failure) -> String {
        guard let text = String(validating: try read(path), as: UTF8.self) else {
            throw Failure(.invalidValue, "\"\(path)\" is not UTF-8")
        }
        return text
    }

    /// Writes a file that appears whole or not at all: a partial one is synced, then renamed.
    public static func write(
        _ bytes: [UInt8], to path: String, mode: mode_t = 0o644
    ) throws(Failure) {
        let partial = path + ".partial"
        unsafe unlink(partial)
        do throws(Failure) {
            let file = try Descriptor(
                opening: partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
            try file.writeAll(bytes)
            try file.sync()
        } catch {
            unsafe unlink(partial)
            throw error.during("cannot write \"\(path)\"")
        }
        do throws(Failure) { try rename(partial, to: path) } catch {
            // It may be all that keeps a directory from being taken for an empty one.
            unsafe unlink(partial)
            throw error
        }
    }

    /// Renames and syncs the directory, so that the name survives a power cut.
    public static func rename(_ from: String, to path: String) throws(Failure) {
        guard unsafe Glibc.rename(from, path) == 0 else {
            throw Failure(errno: errno, "cannot rename \"\(from)\" to \"\(path)\"")
        }
        try syncDirectory(of: path)
    }

    public static func syncDirectory(of path: String) throws(Failure) {
        let directory = try Descriptor(opening: parent(of: path), O_RDONLY | O_DIRECTORY)
        guard fsync(directory.raw) == 0 else {
            throw Failure(errno: errno, "cannot sync the directory of \"\(path)\"")
        }
    }

    /// Creates the directory and those above it; existing ones are left as they are.
    public static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(Failure) {
        if unsafe mkdir(path, mode) == 0 { return }
        if errno == ENOENT, parent(of: path) != path {
            try makeDirectory(parent(of: path), mode: mode)
            if unsafe mkdir(path, mode) == 0 { return }
        }
        guard errno == EEXIST else { throw Failure(errno: errno, "cannot create \"\(path)\"") }
        let kind = kind(path)
        guard kind == S_IFDIR else {
            throw Failure(
                .exists, "\"\(path)\" is no directory",
                hint: kind == S_IFLNK
                    ? "It is a link: name the directory that it leads to."
                    : "Name another one, or move away what is there.")
        }
    }

    /// The file type bits (`S_IFREG`, …) of the path itself, nil when there is nothing.
    public static func kind(_ path: String) -> mode_t? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT
    }

    public static func exists(_ path: String) -> Bool { kind(path) != nil }

    /// Whether a directory is there, at the end of links if need be.
    public static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a directory, without "." and "..", sorted by bytes.
    public static func names(in path: String) throws(Failure) -> [String] {
        guard let directory = unsafe opendir(path) else {
            throw Failure(errno: errno, "cannot list \"\(path)\"")
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(directory) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw Failure(errno: errno, "cannot list \"\(path)\"") }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Removes a file or a whole directory of ours; what is not there is no error.
    public static func remove(_ path: String) throws(Failure) {
        guard let kind = kind(path) else { return }
        if kind == S_IFDIR {
            do throws(Failure) {
                for name in try names(in: path) { try remove(path + "/" + name) }
            } catch {
                // Somebody else may be removing it, too.
                if error.code == .notFound { return }
                throw error
            }
            guard unsafe rmdir(path) == 0 || errno == ENOENT else {
                throw Failure(errno: errno, "cannot remove \"\(path)\"")
            }
        } else if unsafe unlink(path) != 0, errno != ENOENT {
            throw Failure(errno: errno, "cannot remove \"\(path)\"")
        }
    }

    /// The path from the root, links resolved; as it is where that cannot be told.
    public static func absolute(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    public static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2f) else { return "." }
        let parent = path[..<slash]
        return parent.isEmpty ? "/" : String(parent)
    }

    public static func lastComponent(of path: String) -> String {
        var trimmed = Substring(path)
        while trimmed.utf8.count > 1, trimmed.utf8.last == 0x2f { trimmed.removeLast() }
        guard let slash = trimmed.utf8.lastIndex(of: 0x2f) else { return String(trimmed) }
        return String(trimmed[trimmed.utf8.index(after: slash)...])
    }
}
