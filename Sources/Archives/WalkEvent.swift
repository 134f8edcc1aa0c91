/// What a walk has to say about a path.
public enum WalkEvent: Sendable, Equatable {
    /// An object of the tree.
    case entry(WalkedStatus)
    /// Another file system, or the same one mounted again, begins here; it is not entered.
    case mountPoint(WalkedStatus)
    /// A pattern leaves it out; an excluded directory is not entered.
    case excluded(WalkedStatus, pattern: Int)
    /// It could not be looked at, or it is a directory whose names could not be (all) read. Such a
    /// directory's own entry comes just before, and the names that were read come after.
    case unreadable(WalkedKind?, errno: Int32)
    /// Its name was there when the directory was read, and gone or replaced a moment later.
    case vanished(WalkedKind?)
}
