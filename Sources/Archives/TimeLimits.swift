import Basics
import CLinux
import Glibc

/// Which times a file system keeps. Others it rounds or clamps, and says that all went well.
struct TimeLimits: Sendable, Equatable {
    private var seconds: ClosedRange<Int64> = .min ... .max
    private var step: Int64 = 1
    private var nanosecondStep: Int32 = 1

    /// - Parameter file: any file there; its time is lost.
    init(of file: borrowing Descriptor) {
        let (raw, far) = (file.raw, Int64(1) << 40)
        if let kept = Self.kept(raw, -far, 0), let last = Self.kept(raw, far, 0) {
            let first = kept.seconds == -far ? .min : kept.seconds
            let end = last.seconds == far ? .max : last.seconds
            if first <= end { seconds = first...end }
        }
        // An odd second, and a fraction with another digit at every place.
        guard let kept = Self.kept(raw, 1_000_000_001, 123_456_789) else { return }
        if kept.seconds != 1_000_000_001 { step = 2 }
        let steps: [Int32] = [1, 100, 1000, 1_000_000, 10_000_000]
        nanosecondStep =
            steps.first { kept.nanoseconds == 123_456_789 / $0 * $0 } ?? 1_000_000_000
    }

    private static func kept(_ file: Int32, _ seconds: Int64, _ nanoseconds: Int32) -> FileTime? {
        var status = stat()
        guard exeat_set_modified(file, seconds, nanoseconds) == 0,
            unsafe fstat(file, &status) == 0
        else { return nil }
        return FileTime(status.st_mtim)
    }

    func keep(_ time: FileTime) -> Bool {
        // The first and the last second lose their fraction: timestamp_truncate() of Linux.
        let isEnd = time.seconds == seconds.lowerBound || time.seconds == seconds.upperBound
        return seconds.contains(time.seconds) && time.seconds % step == 0
            && time.nanoseconds % nanosecondStep == 0 && !(isEnd && time.nanoseconds != 0)
    }
}

// MARK: - Findings that are kept

extension TimeLimits {
    var findings: JSON {
        // As text: JSON integers of Exeat end at 2^53.
        .object([
            .init("first", .string(String(seconds.lowerBound))),
            .init("last", .string(String(seconds.upperBound))), .init("step", .integer(step)),
            .init("nanosecond-step", .integer(Int64(nanosecondStep))),
        ])
    }

    init?(_ findings: JSON) {
        guard let first = findings["first"]?.string.flatMap({ Int64($0) }),
            let last = findings["last"]?.string.flatMap({ Int64($0) }), first <= last,
            let step = findings["step"]?.integer, step > 0,
            let nanosecondStep = findings["nanosecond-step"]?.integer.flatMap({ Int32(exactly: $0) }
            ),
            nanosecondStep > 0
        else { return nil }
        seconds = first...last
        self.step = step
        self.nanosecondStep = nanosecondStep
    }
}
