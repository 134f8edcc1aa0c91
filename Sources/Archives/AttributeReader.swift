import Basics
import CLinux
import Glibc

/// Reads extended attributes (xattr(7)) into buffers that are used again.
struct AttributeReader: ~Copyable {
    enum Object {
        /// Open for reading.
        case descriptor(Int32)
        /// Open with O_PATH only: reached through /proc/self/fd, a symbolic link itself included.
        case path(Int32)
    }

    // The kernel's own limits for a list and for a value, XATTR_LIST_MAX and XATTR_SIZE_MAX.
    private var list = [CChar](repeating: 0, count: 65_536)
    private var value = [UInt8](repeating: 0, count: 65_536)
    private static let usualRoom = 1024

    private static let accessACL = Array("system.posix_acl_access".utf8)
    private static let defaultACL = Array("system.posix_acl_default".utf8)

    mutating func read(
        _ object: Object, into reading: inout EntryReader.Reading
    ) throws(Failure) {
        // The kernel allocates as much as it is offered, so most files are asked for little.
        var length = names(of: object, room: Self.usualRoom)
        if length < 0, errno == ERANGE { length = names(of: object, room: list.count) }
        guard length >= 0 else {
            if errno == ENOTSUP { return }
            throw Failure(errno: errno, "cannot list the extended attributes")
        }
        var start = 0
        while start < length {
            let end = list[start..<length].firstIndex(of: 0) ?? length
            if end > start { try read(start..<end, of: object, into: &reading) }
            start = end + 1
        }
        if reading.entry.attributes.count > 1 {
            reading.entry.attributes.sort { $0.name.lexicographicallyPrecedes($1.name) }
        }
    }

    private mutating func names(of object: Object, room: Int) -> Int {
        switch object {
        case .descriptor(let raw): unsafe exeat_flistxattr(raw, &list, UInt(room))
        case .path(let raw): unsafe exeat_listxattr("/proc/self/fd/\(raw)", &list, UInt(room))
        }
    }

    private mutating func read(
        _ range: Range<Int>, of object: Object, into reading: inout EntryReader.Reading
    ) throws(Failure) {
        let name = list[range].map { UInt8(bitPattern: $0) }
        let length = unsafe list.withUnsafeBufferPointer { list -> Int in
            guard let start = list.baseAddress else { return -1 }
            let name = unsafe start + range.lowerBound
            return switch object {
            case .descriptor(let raw):
                unsafe exeat_fgetxattr(raw, name, &value, UInt(value.count))
            case .path(let raw):
                unsafe exeat_getxattr("/proc/self/fd/\(raw)", name, &value, UInt(value.count))
            }
        }
        guard length >= 0 else {
            // ENODATA: removed since the list was read, which the change time tells.
            let number = errno
            if Failure.isExhaustion(number) {
                throw Failure(errno: number, "cannot read an extended attribute")
            }
            if number != ENODATA { reading.unreadableAttributes.append(name) }
            return
        }
        let bytes = value[..<length]
        if name == Self.accessACL, let acl = AccessControlList(kernelForm: bytes) {
            reading.entry.accessACL = acl
        } else if name == Self.defaultACL, let acl = AccessControlList(kernelForm: bytes) {
            reading.entry.defaultACL = acl
        } else {
            reading.entry.attributes.append(ExtendedAttribute(name: name, value: Array(bytes)))
        }
    }
}
