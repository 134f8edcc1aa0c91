import Basics
import Glibc
import Streams
import TestKit
import Testing

@testable import Archives

/// Archives made to write outside the target, given to the writers without the checks that come
/// before them: the confinement alone must hold.
@Suite struct ForgedTreeTests {
    struct Place {
        let directory = try? TemporaryDirectory()
        var outside: String { (directory?.path ?? "/nowhere") + "/outside" }
        var inside: String { (directory?.path ?? "/nowhere") + "/inside" }

        init() throws {
            try Files.makeDirectory(outside)
            try Files.write(Array("untouched".utf8), to: outside + "/file")
        }

        func listing() throws -> [String] {
            try Files.names(in: outside).map { name in
                let status = try Descriptor(opening: outside + "/" + name, O_RDONLY).status()
                return "\(name) \(status.st_mode) \(status.st_nlink) \(status.st_size)"
            }
        }
    }

    func restore(_ bytes: [UInt8], to target: TreeTarget) -> Failure.Code? {
        do throws(Failure) {
            var restorer = TreeRestorer(target)
            var reader = PaxReader(BytesSource(bytes), to: .entry)
            try restorer.restore(&reader, progress: Progress())
            return nil
        } catch {
            return error.code
        }
    }

    func finish(_ entries: [Entry], on target: TreeTarget) -> Failure.Code? {
        do throws(Failure) {
            var finisher = TreeFinisher(target)
            for entry in entries { try finisher.add(IndexedEntry(entry: entry)) }
            try finisher.finish()
            return nil
        } catch {
            return error.code
        }
    }

    func link(_ path: String, _ kind: Entry.Kind, _ target: String) -> Entry {
        var entry = Entry(path: Array(path.utf8), kind: kind)
        entry.target = Array(target.utf8)
        return entry
    }

    @Test func nothingIsWrittenThroughLinksInTheTarget() throws {
        let place = try Place()
        let before = try place.listing()
        for existing in [TreeTarget.Existing.add, .replace] {
            try Files.remove(place.inside)
            try Files.makeDirectory(place.inside)
            #expect(symlink("../outside", place.inside + "/way") == 0)
            #expect(symlink("../outside/file", place.inside + "/file") == 0)
            #expect(symlink("../outside/new", place.inside + "/new") == 0)
            let target = try TreeTarget(
                place.inside, existing: existing, resuming: false, owners: OwnerMapping(.numeric))
            #expect(restore(TarBytes.file("way/file", "evil"), to: target) == .treePathUnsafe)
            #expect(restore(TarBytes.header("way/pipe", "6"), to: target) == .treePathUnsafe)
            #expect(restore(TarBytes.directory("way/d/"), to: target) == .treePathUnsafe)
            #expect(restore(TarBytes.file("file", "evil"), to: target) == nil)
            #expect(restore(TarBytes.file("new", "evil"), to: target) == nil)
            let sparse = TarBytes.sparse("1\n0\n5\n", realSize: 100, data: 5)
            #expect(restore(sparse, to: target) == nil)
            #expect(finish([link("way/l", .symlink, "x")], on: target) == .treePathUnsafe)
            #expect(finish([link("l", .hardlink, "way/file")], on: target) == .treePathUnsafe)
            #expect(finish([link("way/l", .hardlink, "file")], on: target) == .treePathUnsafe)
            #expect(finish([Entry(path: Array("way".utf8), kind: .directory)], on: target) != nil)
            #expect(try place.listing() == before)
        }
    }

    @Test func aHardLinkToASymbolicLinkLinksTheLinkItself() throws {
        let place = try Place()
        let before = try place.listing()
        try Files.makeDirectory(place.inside)
        do {
            let target = try TreeTarget(
                place.inside, existing: .refuse, resuming: false, owners: OwnerMapping(.numeric))
            let entries = [
                link("a", .symlink, place.outside + "/file"), link("b", .hardlink, "a"),
                link("c", .symlink, "../outside"),
            ]
            #expect(finish(entries, on: target) == nil)
            #expect(Files.kind(place.inside + "/b") == S_IFLNK)
            #expect(finish([link("d", .hardlink, "c/file")], on: target) == .treePathUnsafe)
            #expect(finish([link("d", .hardlink, "../outside/file")], on: target) != nil)
            #expect(finish([link("d", .hardlink, ".")], on: target) != nil)
        }
        // A file in its place is refused when an import is resumed; where it may replace the link, it
        // does not replace what that leads to.
        for (existing, failure) in [
            (TreeTarget.Existing.refuse, Failure.Code.targetOccupied), (.replace, nil),
        ] {
            let resumed = try TreeTarget(
                place.inside, existing: existing, resuming: true, owners: OwnerMapping(.numeric))
            #expect(restore(TarBytes.file("b", "evil"), to: resumed) == failure)
            #expect(try place.listing() == before)
        }
    }

    @Test func whatIsThereIsNeverOverwrittenUnasked() throws {
        let place = try Place()
        let target = try TreeTarget(
            place.inside, existing: .refuse, resuming: false, owners: OwnerMapping(.numeric))
        try Files.write(Array("mine".utf8), to: place.inside + "/s")
        #expect(restore(TarBytes.file("s", "evil"), to: target) == .exists)
        #expect(restore(TarBytes.header("s", "6"), to: target) == .exists)
        #expect(restore(TarBytes.directory("s/"), to: target) == .targetOccupied)
        #expect(restore(TarBytes.file("s/x", "evil"), to: target) != nil)
        #expect(
            restore(TarBytes.sparse("1\n0\n5\n", realSize: 100, data: 5), to: target) == .exists)
        #expect(finish([link("s", .symlink, "x")], on: target) == .targetOccupied)
        #expect(try Files.readText(place.inside + "/s") == "mine")
    }

    @Test func staleDataOfAnImportGivenUpDoesNotShowThroughHoles() throws {
        let place = try Place()
        try Files.makeDirectory(place.inside)
        let partial = TreeTarget.partialName(of: Array("s".utf8))
        try Files.write([UInt8](repeating: 1, count: 100), to: place.inside + "/" + partial)
        let target = try TreeTarget(
            place.inside, existing: .add, resuming: false, owners: OwnerMapping(.numeric))
        #expect(
            restore(TarBytes.sparse("1\n0\n5\n", realSize: 100, data: 5), to: target) == nil)
        let written = try Files.read(place.inside + "/" + partial)
        #expect(written == [UInt8](repeating: 0x64, count: 5) + [UInt8](repeating: 0, count: 95))
    }

    @Test func theProbeLeavesNothingBehindAndTellsFolding() throws {
        let place = try Place()
        let target = try TreeTarget(
            place.inside, existing: .refuse, resuming: false, owners: OwnerMapping(.numeric))
        #expect(!target.folds)
        #expect(try Files.names(in: place.inside).isEmpty)
    }
}
