import Glibc

/// Texts as C has them, for the time of a call: terminated by NUL, nil for NULL.
@safe final class TextList {
    private let texts: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String?]) {
        unsafe self.texts = texts.map { text in
            guard let text else { return nil }
            return unsafe strdup(text)
        }
    }

    deinit { unsafe texts.forEach { unsafe free($0) } }

    /// The array itself, followed by NULL; good as long as this list is.
    var pointers: [UnsafePointer<CChar>?] {
        var list = unsafe texts.map { unsafe UnsafePointer($0) }
        unsafe list.append(nil)
        return unsafe list
    }
}
