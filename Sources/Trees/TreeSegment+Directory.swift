import Archives
import Basics
import Glibc
import Streams

extension TreeSegment {
    /// A directory stays one, with an omission, whatever it is now: other segments may have what was in
    /// it already, and nothing could be imported that no directory holds.
    mutating func writeDirectory(
        _ path: [UInt8], into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        do throws(Failure) {
            let reading = try readObject(path, .directory)
            try emit(filtered(reading.entry), nil, flags(of: reading, nil), into: &sink)
        } catch {
            guard let (reason, detail) = Self.omission(error) else { throw error }
            var entry = Entry(path: path, kind: .directory)
            entry.mode = 0o700
            if let status = try? status(of: path), status.st_mode & S_IFMT == S_IFDIR {
                entry.mode = UInt32(status.st_mode & 0o7777)
                (entry.uid, entry.gid) = (status.st_uid, status.st_gid)
                entry.owner = try exporter.names.user(entry.uid)
                entry.group = try exporter.names.group(entry.gid)
                entry.modified = FileTime(status.st_mtim)
            }
            let start = offset
            try writeHeader(entry, into: &sink)
            try note(entry, nil, [], at: start, but: reason, detail)
        }
    }

    /// A directory that has taken the place of another object since the inventory: what it holds was not
    /// seen, and the omission says so.
    mutating func writeNewDirectory(
        _ path: [UInt8], _ group: InodeIdentity?, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        let reading = try readObject(path, .directory)
        let entry = try filtered(reading.entry)
        let start = offset
        try writeHeader(entry, into: &sink)
        try note(
            entry, nil, flags(of: reading, group), at: start, but: .changed,
            "it was no directory when the inventory was taken; what it holds is left out")
    }
}
