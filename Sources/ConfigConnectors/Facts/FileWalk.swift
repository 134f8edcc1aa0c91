import Basics
import Glibc
import Streams

/// A walk through directories of the machine that follows no links.
enum FileWalk {
    /// More directories than this in one search are not looked through: it would take the place of the
    /// export itself.
    static let mostDirectories = 50_000

    /// Calls `body` for every directory at and below those given, with the names in it; false ends the
    /// walk below it.
    ///
    /// - Parameter passesClosed: directories closed to us are passed over; for exported trees, whose index
    ///   has them as omissions. Else they are a failure.
    static func directories(
        _ paths: [String], depth: Int, _ machine: Machine, passesClosed: Bool,
        _ body: (String, [String]) throws(Failure) -> Bool
    ) throws(Failure) {
        var left = paths.map { (path: $0, depth: depth) }
        var seen: Set<String> = []
        while let next = left.popLast() {
            try machine.progress.checkCancelled()
            guard seen.insert(next.path).inserted else { continue }
            guard seen.count <= mostDirectories else {
                throw Failure(.failed, "there are more than \(mostDirectories) directories")
            }
            guard let names = try listed(next.path, machine, passesClosed) else { continue }
            guard try body(next.path, names), next.depth > 0 else { continue }
            for name in names.reversed() {
                let path = (next.path == "/" ? "" : next.path) + "/" + name
                if isPlainDirectory(path, machine) { left.append((path, next.depth - 1)) }
            }
        }
    }

    private static func listed(
        _ path: String, _ machine: Machine, _ passesClosed: Bool
    ) throws(Failure) -> [String]? {
        do throws(Failure) { return try machine.names(path) } catch {
            if passesClosed, error.code == .denied { return nil }
            throw error
        }
    }

    private static func isPlainDirectory(_ path: String, _ machine: Machine) -> Bool {
        let here = machine.isLive ? path : machine.root + path
        return Files.kind(here) == S_IFDIR
    }
}
