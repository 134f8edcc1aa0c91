public import Basics
import Glibc
public import Primitives
import Streams
import Synchronization

/// Appends to a journal; any thread may call.
///
/// An entry is on the disk when `append` returns: threads that append at the same time share one
/// `fdatasync`. After a failure nothing more can be appended; the file is cut back to what was
/// acknowledged where that is possible, and `init(resuming:)` does it otherwise.
public final class JournalWriter: Sendable {
    /// What is in the chain, and what of it waits for the disk.
    private struct Chain {
        var summary = JournalSummary()
        var pending: [UInt8] = []
        var failure: Failure?
    }

    /// What is on the disk; held while writing, so appending threads queue here.
    private struct Disk {
        var file: SharedDescriptor?
        var durable: JournalSummary
    }

    private let chain: Mutex<Chain>
    private let disk: Mutex<Disk>
    private let world: World

    /// Takes a descriptor whose file holds exactly what `summary` says.
    init(_ file: SharedDescriptor, _ summary: JournalSummary, world: World) {
        chain = Mutex(Chain(summary: summary))
        disk = Mutex(Disk(file: file, durable: summary))
        self.world = world
    }

    /// What is on the disk: entries, head, Merkle root and length.
    public var summary: JournalSummary { disk.withLock { $0.durable } }

    /// The number of entries on the disk, and the SHA-256 of the last one.
    public var state: (entries: Int, head: Digest256) {
        let summary = summary
        return (summary.entries, summary.head)
    }

    /// Appends an entry; it is durable when this returns.
    ///
    /// Blocks for as long as a disk takes to sync, so call it on a `Lane`. Throws `.invalidValue`
    /// for fields that a journal does not hold (the journal then goes on); every other failure is
    /// final.
    public func append(
        _ event: Journal.Event, _ fields: [JSON.Member] = []
    ) throws(Failure) {
        let entry = try chain.withLock { (chain) throws(Failure) -> Int in
            if let failure = chain.failure { throw failure }
            let line = try JournalLine.make(
                after: chain.summary, at: world.now(), event, fields)
            chain.summary.append(line: line)
            chain.pending += line
            chain.pending.append(0x0a)
            return chain.summary.entries
        }
        // Whoever comes first writes for all that wait behind.
        try disk.withLock { (disk) throws(Failure) in
            if disk.durable.entries < entry { try flush(&disk) }
        }
    }

    private func flush(_ disk: inout Disk) throws(Failure) {
        let (batch, summary) = try chain.withLock { (chain) throws(Failure) in
            if let failure = chain.failure { throw failure }
            let batch = chain.pending
            chain.pending = []
            return (batch, chain.summary)
        }
        do throws(Failure) {
            guard let file = disk.file else { throw Failure(.failed, "the journal is closed") }
            do throws(Failure) {
                try write(batch, to: file.descriptor, at: disk.durable.bytes)
            } catch {
                // What was not acknowledged must not come back at the next resume.
                try? file.descriptor.truncate(to: disk.durable.bytes)
                throw error.during("cannot write the journal \(file.name)")
            }
        } catch {
            chain.withLock { $0.failure = error }
            throw error
        }
        disk.durable = summary
    }

    private func write(
        _ bytes: [UInt8], to file: borrowing Descriptor, at offset: Int64
    ) throws(Failure) {
        do {
            try unsafe bytes.withUnsafeBytes { try unsafe file.writeAll($0, at: offset) }
        } catch let failure as Failure { throw failure } catch {
            throw Failure(.failed, "unexpected error: \(error)")
        }
        try file.sync()
    }

    /// Closes the file; everything acknowledged is already on the disk. Later appends fail.
    public func close() {
        disk.withLock { disk in
            disk.file = nil
            chain.withLock { chain in
                chain.failure = chain.failure ?? Failure(.failed, "the journal is closed")
            }
        }
    }
}
