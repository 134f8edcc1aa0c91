import Basics

extension Failure {
    /// What went wrong on the way to an object of the source, or with opening it, as one of the
    /// three causes that concern this object alone.
    ///
    /// A directory above it may have gone, or a link may have taken its place, which is not followed.
    func ofSource(_ path: [UInt8]) -> Failure {
        let quoted = "\"\(String(decoding: path, as: UTF8.self))\""
        switch code {
        case .sourceVanished, .sourceChanged, .sourceUnreadable, .cancelled: return self
        case .notFound: return Failure(.sourceVanished, "\(quoted) vanished", cause: self)
        case .treePathUnsafe:
            return Failure(
                .sourceChanged, "a directory on the way to \(quoted) was replaced by a link",
                cause: self)
        case .denied, .inputOutput:
            return Failure(.sourceUnreadable, "cannot read \(quoted)", cause: self)
        default: return self
        }
    }
}
