import Basics
import CLinux

/// Keeps other imports out of a target for as long as it lives.
///
/// With `add` and `replace`, several sources may go to one target. A file system that locks no
/// directories (NFS) is taken as it is.
public final class TargetLock: Sendable {
    private let root: TreeRoot

    /// Throws `.locked` where another one has it, in this process or in another.
    public init(_ root: TreeRoot, alone: Bool) throws(Failure) {
        self.root = root
        guard (try? root.descriptor.lock(shared: !alone)) == false else { return }
        throw Failure(
            .locked, "another import is writing to \"\(root.path)\"",
            hint: "Wait for it to end, or choose another target.")
    }

    /// A program that is being started has the descriptor too for a moment, and with it the lock.
    deinit { exeat_unlock(root.descriptor.raw) }
}
