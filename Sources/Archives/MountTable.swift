import Basics
import Glibc

/// The places below a directory where something is mounted, bind mounts included
/// (proc_pid_mountinfo(5)).
struct MountTable: Sendable {
    /// Paths relative to the directory.
    let paths: Set<[UInt8]>

    init(paths: Set<[UInt8]>) { self.paths = paths }

    /// - Parameter root: the directory's canonical path.
    init(mountInfo: [UInt8], below root: [UInt8]) {
        let prefix = root == [0x2f] ? root : root + [0x2f]
        var paths: Set<[UInt8]> = []
        for line in mountInfo.split(separator: 0x0a) {
            let fields = line.split(separator: 0x20, maxSplits: 5)
            guard fields.count > 4 else { continue }
            let point = Self.unescaped(fields[4])
            if point.count > prefix.count, point.starts(with: prefix) {
                paths.insert(Array(point[prefix.count...]))
            }
        }
        self.paths = paths
    }

    /// Reads the table of this process.
    init(below root: borrowing Descriptor) throws(Failure) {
        let link = "/proc/self/fd/\(root.raw)"
        do throws(Failure) {
            let path = try unsafe LinkTarget.read(AT_FDCWD, link)
            self.init(mountInfo: try Files.read("/proc/self/mountinfo"), below: path)
        } catch {
            throw error.during(
                "cannot find the mount points",
                hint: "Mount /proc, or export with one-file-system: false.")
        }
    }

    /// Space, tab, newline and backslash are written as a backslash and three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == 0x5c, digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
                bytes.append(digits.reduce(0) { $0 << 3 | ($1 - 0x30) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

/// The target of a symbolic link, however long it is.
enum LinkTarget {
    static func read(_ directory: Int32, _ name: UnsafePointer<CChar>) throws(Failure) -> [UInt8] {
        var bytes = [CChar](repeating: 0, count: 256)
        while true {
            let length = unsafe readlinkat(directory, name, &bytes, bytes.count)
            guard length >= 0 else { throw Failure(errno: errno, "cannot read a symbolic link") }
            if length < bytes.count { return bytes[..<length].map { UInt8(bitPattern: $0) } }
            bytes = [CChar](repeating: 0, count: bytes.count * 2)
        }
    }
}
