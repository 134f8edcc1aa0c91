/// What tar programs cannot restore from our stream though it is all in there; for the notes that
/// go with an archive.
public enum TarLimits {
    public enum Tool: Sendable, CaseIterable {
        /// GNU tar 1.34.
        case gnu
        /// bsdtar of libarchive 3.6.
        case bsd
    }

    public enum Problem: String, Sendable, CaseIterable {
        /// The path is longer than the system lets a program name in one call.
        case pathTooLong = "path longer than 4095 bytes"
        /// So is that of a hard link's first name.
        case linkTooLong = "hard link to a path longer than 4095 bytes"
        /// Device numbers beyond what the header has room for.
        case deviceNumber = "device number above 2097151"
        /// Read with the fraction on the wrong side of the second.
        case negativeFraction = "time before 1970 with a fraction of a second"
        /// Read with "%3D" or "%25" in their place.
        case attributeName = "extended attribute with = or % in its name"
        /// Left as it is after the last entry was made.
        case rootTime = "time of the directory that holds the tree"
    }

    /// Empty when that program restores the entry whole, given the right and a file system for it.
    public static func problems(of entry: Entry, for tool: Tool = .gnu) -> [Problem] {
        var problems: [Problem] = []
        let longest = 4095
        if entry.path.count + (entry.kind == .directory ? 1 : 0) > longest {
            problems.append(.pathTooLong)
        }
        if entry.kind == .hardlink {
            if entry.target.count > longest { problems.append(.linkTooLong) }
            return problems
        }
        if tool == .gnu,
            max(entry.device.major, entry.device.minor) > UstarHeader.largestID
        {
            problems.append(.deviceNumber)
        }
        if tool == .bsd {
            if entry.path.isEmpty { problems.append(.rootTime) }
            if entry.modified.seconds < 0, entry.modified.nanoseconds > 0 {
                problems.append(.negativeFraction)
            }
            if entry.attributes.contains(where: { $0.name.contains(0x3d) || $0.name.contains(0x25) }
            ) {
                problems.append(.attributeName)
            }
        }
        return problems
    }
}
