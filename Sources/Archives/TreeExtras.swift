public import Basics
public import Streams

/// Finds objects on a target that no entry of the index is about.
public enum TreeExtras {
    /// Walks the target along with the index, both in the order of their paths.
    ///
    /// For targets that were empty before the import. Calls `report` for each object in excess; what
    /// is missing is for the `TreeComparer` to tell. Blocks: call it on a `Lane`.
    public static func find(
        on target: TreeTarget, _ index: inout IndexReader, progress: Progress,
        _ report: (TreeDifference) -> Void
    ) throws(Failure) {
        var walker = try TreeWalker(
            TreeScope(paths: [target.root.path], oneFileSystem: false))
        var indexed = try index.nextPath()
        while let event = try walker.next() {
            try progress.checkCancelled()
            let path = walker.path
            switch event {
            case .entry, .mountPoint: break
            case .unreadable(_, let number):
                throw Failure(errno: number, "cannot look at \(EntryPath.quoted(path))")
            case .excluded, .vanished: continue
            }
            while let known = indexed, EntryPath.precedes(known, path) {
                indexed = try index.nextPath()
            }
            if indexed == path || path.isEmpty { continue }
            report(
                TreeDifference(
                    path: path, attribute: "object", expected: "missing", found: "there",
                    isShortfall: false))
        }
    }
}
