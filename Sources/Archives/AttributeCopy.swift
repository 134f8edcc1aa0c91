public import Basics
import CLinux
import Glibc

/// Gives one object all extended attributes of another, ACLs included.
public enum AttributeCopy {
    /// Both open for reading or writing, none with O_PATH. What the target has beside them stays.
    ///
    /// Throws for the first attribute that cannot be read or set.
    public static func copy(
        from source: borrowing Descriptor, to target: borrowing Descriptor
    ) throws(Failure) {
        var list = [CChar](repeating: 0, count: 65_536)
        let length = unsafe exeat_flistxattr(source.raw, &list, UInt(list.count))
        if length < 0, errno == ENOTSUP { return }
        guard length >= 0 else { throw Failure(errno: errno, "cannot list extended attributes") }
        var value = [UInt8](repeating: 0, count: 65_536)
        for name in list[..<length].split(separator: 0) {
            let name = Array(name) + [0]
            let size = unsafe exeat_fgetxattr(source.raw, name, &value, UInt(value.count))
            guard size >= 0 else {
                throw Failure(errno: errno, "cannot read an extended attribute")
            }
            // What a security module says of the target is its own.
            let text = String(
                decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("security."), text != "security.capability" { continue }
            let set = unsafe exeat_fsetxattr(target.raw, name, value, UInt(size))
            guard set == 0 else {
                throw Failure(errno: errno, "cannot set the extended attribute \"\(text)\"")
            }
        }
    }
}
