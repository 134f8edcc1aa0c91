import Archives
import Basics
import Glibc
import Streams
import Synchronization

/// Finds the files of members again: held open since the inventory, by their name, or by their inode
/// where a rotation has given them another name.
final class TextHolder: Sendable {
    private struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let held = Mutex<[Key: SharedDescriptor]>([:])
    /// More would take descriptors from the rest of the run.
    private static let most = 200

    /// Keeps a file open, so that not even its removal takes it away.
    func hold(_ member: TextMember, _ file: SharedDescriptor) {
        held.withLock {
            if $0.count < Self.most { $0[Key(device: member.device, inode: member.inode)] = file }
        }
    }

    /// Throws `.sourceVanished` when it is nowhere, `.sourceUnreadable` when it may not be read.
    func open(_ member: TextMember) throws(Failure) -> SharedDescriptor {
        let key = Key(device: member.device, inode: member.inode)
        if let file = held.withLock({ $0[key] }) { return file }
        var refusal: Failure?
        do throws(Failure) {
            if let file = try Self.open(member.path, as: member) { return file }
        } catch { refusal = error }
        let directory = Array(member.path[..<(member.path.lastIndex(of: 0x2f) ?? 0)])
        for name in (try? Files.byteNames(in: directory)) ?? [] {
            if let file = try? Self.open(directory + [0x2f] + name, as: member) { return file }
        }
        throw refusal
            ?? Failure(
                .sourceVanished, "\(Self.quoted(member.path)) is gone",
                hint: "Export again: a rotation has removed it since the inventory.")
    }

    /// nil for another file.
    private static func open(
        _ path: [UInt8], as member: TextMember
    ) throws(Failure) -> SharedDescriptor? {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        var status = stat()
        guard unsafe lstat(text, &status) == 0, UInt64(status.st_ino) == member.inode,
            UInt64(status.st_dev) == member.device
        else { return nil }
        let file = try open(path)
        let opened = try file.descriptor.status()
        guard UInt64(opened.st_ino) == member.inode, UInt64(opened.st_dev) == member.device else {
            return nil
        }
        return file
    }

    /// Opens a regular file, links not followed.
    static func open(_ path: [UInt8]) throws(Failure) -> SharedDescriptor {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let raw = retrying { unsafe Glibc.open(text, flags) }
        guard raw >= 0 else {
            if errno == ENOENT {
                throw Failure(.sourceVanished, "\(quoted(path)) is gone")
            }
            if Failure.isExhaustion(errno) {
                throw Failure(errno: errno, "cannot open \(quoted(path))")
            }
            throw Failure(
                .sourceUnreadable, "cannot read \(quoted(path))",
                hint: "Run the export as root, or as a member of the group adm.",
                cause: Failure(errno: errno, "cannot open it"))
        }
        posix_fadvise(raw, 0, 0, POSIX_FADV_SEQUENTIAL)
        return SharedDescriptor(Descriptor(owning: raw), name: quoted(path))
    }

    static func quoted(_ path: [UInt8]) -> String {
        "\"\(String(decoding: path, as: UTF8.self))\""
    }
}

extension Files {
    /// The names in a directory, as bytes.
    static func byteNames(in path: [UInt8]) throws(Failure) -> [[UInt8]] {
        let text = (path.isEmpty ? [0x2f] : path).map { CChar(bitPattern: $0) } + [0]
        guard let directory = unsafe opendir(text) else {
            throw Failure(
                errno: errno, "cannot list \"\(String(decoding: path, as: UTF8.self))\"")
        }
        defer { unsafe closedir(directory) }
        var names: [[UInt8]] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
                unsafe Array($0.prefix { $0 != 0 })
            }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
