import Basics

/// What a reader of the tar form must remember from header to header.
struct TarOrder: Sendable {
    private(set) var name: BagName?
    private var last: BagPath?
    private var seen: Set<BagPath> = []

    /// Throws `.tarHeader` for a second top folder, `.tarDuplicate` and `.tarOrder`.
    mutating func admit(_ header: CanonicalTar.Header) throws(Failure) {
        if let name, name != header.name {
            throw Failure(
                .tarHeader,
                "\"\(header.path)\" lies in the folder \"\(header.name)\", not in \"\(name)\"")
        }
        name = header.name
        guard seen.insert(header.path).inserted else {
            throw Failure(.tarDuplicate, "\"\(header.path)\" is in the archive twice")
        }
        guard seen.count <= BagLimit.files else {
            throw Failure(.bagFileUnexpected, "the bag has more than \(BagLimit.files) files")
        }
        if let last, !CanonicalTar.mayFollow(last, header.path) {
            throw Failure(.tarOrder, "\"\(header.path)\" comes after \"\(last)\" in the archive")
        }
        last = header.path
    }

    static func truncated(_ what: String) -> Failure {
        Failure(
            .tarTruncated, "the archive ends \(what)",
            hint: "Fetch it again, or resume the export that wrote it.")
    }
}
