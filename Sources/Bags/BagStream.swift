public import Basics
import Glibc
public import Streams

/// A bag as a tar that comes through a pipe: it can be examined in one pass, and nothing more.
///
/// Digests are taken as the bytes pass; what stays in memory is a record for each file and the
/// small documents.
public enum BagStream {
    /// Reads to the end. Only `.cancelled` and a failure to read throw; a tar that is not canonical
    /// is the one problem of the report, for nothing after it can be told.
    public static func examine(
        _ file: SharedDescriptor, by verifier: some SealVerifier, progress: Progress
    ) async throws(Failure) -> VerificationReport {
        let lane = Lane()
        defer { lane.close() }
        let task = Task(executorPreference: lane) { () -> Result<VerificationReport, Failure> in
            do throws(Failure) { return .success(try pass(file, verifier, progress)) } catch {
                return .failure(error)
            }
        }
        return try await task.value.get()
    }

    private static func pass(
        _ file: SharedDescriptor, _ verifier: some SealVerifier, _ progress: Progress
    ) throws(Failure) -> VerificationReport {
        var pass = TarPass(file, progress)
        do throws(Failure) { try pass.run() } catch {
            if error.code == .cancelled || error.code == .inputOutput { throw error }
            var failed = Examination(name: pass.order.name, problems: pass.problems)
            failed.blame("", error)
            failed.note("structure", .failed, "the tar is not canonical")
            return VerificationReport(failed)
        }
        var examination = Examination(name: pass.order.name, problems: pass.problems)
        examination.judge(
            documents: pass.documents,
            payload: pass.payload.map { BagEntry(path: $0.path, size: $0.size) }, by: verifier)
        examination.judge(payload: pass.payload, sha512: false)
        return VerificationReport(examination)
    }
}

/// One pass over a tar, from its first byte to the end of the file.
struct TarPass: ~Copyable {
    private(set) var order = TarOrder()
    private(set) var documents: [FileRecord] = []
    private(set) var payload: [FileRecord] = []
    private(set) var problems: [BagProblem] = []
    private let file: SharedDescriptor
    private let progress: Progress
    private var chunk = Chunk()
    private var taken = 0

    init(_ file: SharedDescriptor, _ progress: Progress) {
        self.file = file
        self.progress = progress
    }

    mutating func run() throws(Failure) {
        while true {
            let block = try bytes(512, "without the blocks that close it")
            if block.allSatisfy({ $0 == 0 }) { break }
            let header = try CanonicalTar.parse(block)
            try order.admit(header)
            try entry(header)
            let padding = try bytes(
                CanonicalTar.padding(after: header.size), "within \"\(header.path)\"")
            guard padding.allSatisfy({ $0 == 0 }) else {
                throw Failure(.tarPadding, "the padding after \"\(header.path)\" is not zeros")
            }
        }
        guard try bytes(512, "without the blocks that close it").allSatisfy({ $0 == 0 }) else {
            throw Failure(.tarHeader, "the archive goes on after a block of zeros")
        }
        guard try !fill() else {
            throw Failure(.tarTrailing, "bytes follow the end of the archive")
        }
    }

    private mutating func entry(_ header: CanonicalTar.Header) throws(Failure) {
        var part = BagPart.payload
        var isKnown = true
        do throws(Failure) { part = try BagPart(of: header.path) } catch {
            problems.append(BagProblem(header.path.text, error))
            isKnown = false
        }
        var reading = try FileReading(header.path, part, sha512: part != .payload)
        var left = header.size
        while left > 0 {
            guard try fill() else { throw TarOrder.truncated("within \"\(header.path)\"") }
            let count = Int(min(Int64(chunk.count - taken), left))
            try unsafe chunk.withBytes { (all) throws(Failure) in
                unsafe reading.read(UnsafeRawBufferPointer(rebasing: all[taken..<taken + count]))
            }
            taken += count
            left -= Int64(count)
        }
        progress.add(objects: 1)
        let record = reading.finish()
        guard isKnown else { return }
        if part == .payload { payload.append(record) } else { documents.append(record) }
    }

    private mutating func bytes(_ count: Int, _ place: String) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard try fill() else { throw TarOrder.truncated(place) }
            let part = min(count - bytes.count, chunk.count - taken)
            try unsafe chunk.withBytes { (all) throws(Failure) in
                unsafe bytes.append(contentsOf: all[taken..<taken + part])
            }
            taken += part
        }
        return bytes
    }

    /// Makes sure that bytes are at hand; false at the end of the file.
    private mutating func fill() throws(Failure) -> Bool {
        if taken < chunk.count { return true }
        try progress.checkCancelled()
        chunk.removeAll()
        taken = 0
        try unsafe chunk.append { (free) throws(Failure) in
            do throws(Failure) { return try unsafe file.descriptor.read(into: free) } catch {
                throw error.during("cannot read \(file.name)")
            }
        }
        progress.add(bytes: Int64(chunk.count))
        return !chunk.isEmpty
    }
}
