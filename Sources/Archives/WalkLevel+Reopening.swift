import Basics
import Glibc

extension WalkLevel {
    /// Opens the directory again by ".." of one in it, or else by its path. The descriptor is -1 when another one
    /// is there now, and then the names that are left are reported as vanished.
    ///
    /// - Parameter path: begins with that of the directory.
    /// - Returns: `missing` is the error number where it failed for want of means, else 0.
    func reopened(
        from below: Int32, at path: [UInt8], in root: TreeRoot
    ) -> (descriptor: Int32, missing: Int32) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        if below >= 0, let found = unsafe verified(openat(below, "..", flags)) { return (found, 0) }
        var cursor = TreeCursor(root)
        let name = path.prefix(pathLength) + [0x2f, 0x2e]
        do throws(Failure) {
            let byPath = try unsafe cursor.withParent(of: Array(name)) { directory, dot in
                unsafe openat(directory, dot, flags)
            }
            let missing = byPath < 0 && Failure.isExhaustion(errno) ? errno : 0
            return (verified(byPath) ?? -1, missing)
        } catch {
            return (-1, error.code == .exhausted ? EMFILE : 0)
        }
    }

    /// nil, and closed, when it is another directory.
    private func verified(_ descriptor: Int32) -> Int32? {
        guard descriptor >= 0 else { return nil }
        var status = stat()
        if unsafe fstat(descriptor, &status) == 0, UInt64(status.st_dev) == device,
            UInt64(status.st_ino) == inode
        {
            return descriptor
        }
        close(descriptor)
        return nil
    }
}
