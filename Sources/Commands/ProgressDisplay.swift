public import ArgumentParser
import Basics
import Runs
import Streams
import Synchronization

/// How progress is shown on standard error.
public enum ProgressStyle: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// A live line on a terminal, plain lines elsewhere.
    case auto
    case plain
    /// One JSON object a line, for machines.
    case json
    case none
}

/// Samples the counters of a run and shows them; nothing is pushed from the byte path.
final class ProgressDisplay: Sendable {
    private struct State {
        var stage = "starting"
        var total: Int64 = 0
        var stopped = false
    }

    private let progress: Progress
    private let style: ProgressStyle
    private let state = Mutex(State())
    private let began = monotonicNanoseconds()

    init(_ progress: Progress, _ style: ProgressStyle) {
        self.progress = progress
        let isTerminal = Terminal.errorIsTerminal
        self.style = style == .auto && !isTerminal ? .plain : style
    }

    func enter(_ stage: String, total: Int64 = 0) {
        state.withLock {
            $0.stage = stage
            $0.total = total
        }
        if style == .plain {
            Terminal.say("\(stage)\(total > 0 ? ", \(Terminal.size(total))" : "")")
        }
    }

    /// What people would not expect, and programs do not read.
    func tell(_ line: String) {
        if style == .auto { Terminal.rewrite("") }
        if style == .auto || style == .plain { Terminal.say(line) }
    }

    /// Shows progress until `stop`.
    func start() {
        guard style != .none else { return }
        let pause: UInt64 =
            switch style {
            case .auto: 250_000_000
            case .json: 1_000_000_000
            case .plain, .none: 10_000_000_000
            }
        Task.detached {
            var slept: UInt64 = 0
            while !self.state.withLock({ $0.stopped }) {
                try? await Task.sleep(nanoseconds: 100_000_000)
                slept += 100_000_000
                self.showNotices()
                if slept >= pause {
                    slept = 0
                    self.show()
                }
            }
        }
    }

    func stop() {
        let wasRunning = state.withLock { state in
            defer { state.stopped = true }
            return !state.stopped
        }
        if wasRunning, style == .auto { Terminal.rewrite("") }
        showNotices()
    }

    /// Lines that stay, above the one that is rewritten.
    private func showNotices() {
        if style == .none { return }
        for line in progress.takeNotices() {
            if style == .json {
                Terminal.say(["notice": .string(line)] as JSON)
            } else {
                if style == .auto { Terminal.rewrite("") }
                Terminal.say(line)
            }
        }
    }

    private func show() {
        let (stage, total, stopped) = state.withLock { ($0.stage, $0.total, $0.stopped) }
        if stopped { return }
        let bytes = progress.bytes
        let elapsed = max(1, Int64((monotonicNanoseconds() - began) / 1_000_000))
        let rate = bytes * 1000 / elapsed
        if style == .json {
            let line: JSON = [
                "stage": .string(stage), "bytes": .integer(bytes), "total": .integer(total),
                "stored": .integer(progress.bytesStored), "objects": .integer(progress.objects),
                "bytesPerSecond": .integer(rate),
            ]
            Terminal.say(line)
            return
        }
        var text = "\(stage)  \(Terminal.size(bytes))"
        if total > 0 {
            text += " of \(Terminal.size(total)) (\(min(99, bytes * 100 / max(1, total))) %)"
        }
        text += "  \(counted(progress.objects, "object"))  \(Terminal.size(rate))/s"
        if total > bytes, rate > 0 {
            text += "  \(Terminal.duration((total - bytes) / rate)) left"
        }
        if style == .auto { Terminal.rewrite(text) } else { Terminal.say(text) }
    }
}

/// Options of commands that work for a while.
struct ProgressOptions: ParsableArguments {
    @Option(
        name: .customLong("progress"),
        help:
            "How to show progress on standard error: \(ProgressStyle.allCases.map(\.rawValue).joined(separator: ", "))."
    )
    var style: ProgressStyle = .auto

    init() {}

    /// Runs something whose progress is displayed, and which an interruption ends.
    func shown<Outcome: Sendable>(
        _ body: (Progress, ProgressDisplay) async throws(Failure) -> Outcome
    ) async throws(Failure) -> Outcome {
        let counters = Progress()
        let display = ProgressDisplay(counters, style)
        Interruption.watch(counters)
        display.start()
        defer { display.stop() }
        return try await body(counters, display)
    }
}
