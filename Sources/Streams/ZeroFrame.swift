import CZstd
import Glibc

/// A frame that has been decoded once and was all zeros: the same bytes again need no decoding.
///
/// Holes of disks come as thousands of equal frames (`Compressing.write(zeros:)`). Frames stand alone
/// (RFC 8878, 3.1), so what one of them means does not depend on where it is.
struct ZeroFrame {
    private var bytes: [UInt8] = []
    /// How many zeros it means.
    private(set) var size = 0
    private var watched: [UInt8] = []
    private var watchedSize = 0

    enum Meeting {
        case known(Int)
        /// Short for what comes out of it.
        case candidate([UInt8], Int)
        case other
    }

    private static let longest = 4096
    private static let smallest = 256 << 10

    var isWatching: Bool { !watched.isEmpty }

    /// What the frame is that begins here.
    func meet(_ input: UnsafeRawBufferPointer) -> Meeting {
        guard let start = input.baseAddress else { return .other }
        if !bytes.isEmpty, input.count >= bytes.count,
            unsafe bytes.withUnsafeBytes({ known in
                unsafe known.baseAddress.map { unsafe memcmp($0, start, known.count) } == 0
            })
        {
            return .known(bytes.count)
        }
        let length = unsafe ZSTD_findFrameCompressedSize(start, min(input.count, Self.longest))
        guard ZSTD_isError(length) == 0, length > 0, length <= Self.longest else { return .other }
        let size = unsafe ZSTD_getFrameContentSize(start, length)
        // The two largest values say that it is unknown, or an error.
        guard size >= UInt64(Self.smallest), size <= UInt64(Int32.max) else { return .other }
        return unsafe .candidate(
            Array(UnsafeRawBufferPointer(rebasing: input[..<length])), Int(size))
    }

    mutating func begin(_ frame: [UInt8], _ size: Int) {
        watched = frame
        watchedSize = size
    }

    /// - Parameter isEnd: the frame has ended, and its checksum was right.
    mutating func saw(isZero: Bool, isEnd: Bool) {
        if isZero, isEnd {
            bytes = watched
            size = watchedSize
        }
        if !isZero || isEnd { watched = [] }
    }

    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
        return unsafe bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
    }
}
