import Basics
import Glibc
import Primitives
import Streams
import TestKit
import Testing

@testable import Archives

@Suite struct TreeImportTests {
    static let hasTools =
        Shell.has("setfacl") && Shell.has("setfattr") && Shell.has("setcap") && geteuid() == 0

    func target(
        _ path: String, _ existing: TreeTarget.Existing = .refuse, resuming: Bool = false,
        owners: OwnerMapping? = nil, shortfalls: ShortfallList = ShortfallList()
    ) throws -> TreeTarget {
        try TreeTarget(
            path, existing: existing, resuming: resuming, owners: owners ?? OwnerMapping(.numeric),
            shortfalls: shortfalls)
    }

    func expectEqual(_ comparison: TreeComparison) {
        #expect(comparison.mismatches == 0)
        for difference in comparison.differences where !difference.isShortfall {
            Issue.record(
                """
                \(String(decoding: difference.path, as: UTF8.self)): \(difference.attribute): \
                \(difference.expected), found \(difference.found)
                """)
        }
        #expect(comparison.contentExpected.root == comparison.contentFound.root)
        #expect(comparison.metadataExpected.root == comparison.metadataFound.root)
    }

    @Test func theHostileTreeArrivesIdenticalWhateverTheOrderOfSegments() throws {
        guard Self.hasTools else { return print("SKIPPED: importing: not root, or a tool missing") }
        let tree = try HostileTree(longPaths: true)
        defer { tree.remove() }
        let archive = try TestArchive(tree, entriesPerSegment: 5)
        let summary = try archive.summary()
        #expect(summary.entries == Int64(archive.entries.count))
        let out = tree.directory.path + "/out"
        let target = try target(out)
        try archive.restore(Array(archive.segments.indices.reversed()), to: target)
        try archive.finish(target)
        #expect(target.shortfalls.count == 0, "\(target.shortfalls.list)")
        let comparison = try archive.compare(target, .all)
        expectEqual(comparison)
        #expect(comparison.present == summary.entries)

        // The roots are those of the source, and the snapshot says the same in its own way.
        var leaf = TreeLeaf()
        var content = MerkleRange()
        var metadata = MerkleRange()
        for item in archive.entries {
            content.append(leaf: leaf.content(of: item.entry, item.digest))
            metadata.append(leaf: leaf.metadata(of: item.entry))
        }
        #expect(comparison.contentFound.root == content.root)
        #expect(comparison.metadataFound.root == metadata.root)
        #expect(try TreeSnapshot(out).lines == TreeSnapshot(tree.path).lines)
    }

    @Test func lanesWorkOnOneTargetAtOnce() async throws {
        guard Self.hasTools else { return print("SKIPPED: importing: not root, or a tool missing") }
        let tree = try HostileTree(longPaths: true)
        defer { tree.remove() }
        let archive = try TestArchive(tree, entriesPerSegment: 2)
        let target = try target(tree.directory.path + "/out")
        let lanes = [Lane(), Lane(), Lane()]
        try await withThrowingTaskGroup { group in
            for (number, lane) in lanes.enumerated() {
                group.addTask(executorPreference: lane) {
                    let share = archive.segments.indices.filter { $0 % lanes.count == number }
                    try archive.restore(share.reversed(), to: target)
                }
            }
            try await group.waitForAll()
        }
        for lane in lanes { lane.close() }
        try archive.finish(target)
        expectEqual(try archive.compare(target, .all))
    }

    @Test func anImportCutShortAnywhereIsCompletedByResuming() throws {
        guard Self.hasTools else { return print("SKIPPED: importing: not root, or a tool missing") }
        let tree = try HostileTree(longPaths: false)
        defer { tree.remove() }
        let archive = try TestArchive(tree, entriesPerSegment: 9)
        let out = tree.directory.path + "/out"
        for number in archive.segments.indices {
            let length = archive.segments[number].bytes.count
            // Where a cut falls between two entries only the source of the bytes can tell.
            do {
                let partial = try target(out, resuming: true)
                try? archive.restore([number], to: partial, cutShortAt: length / 3)
                if length > 0 {
                    #expect(throws: Failure(.truncated, "")) {
                        try archive.restore([number], to: partial, cutShortAt: length - 1)
                    }
                }
            }
            try archive.restore([number], to: try target(out, resuming: true))
        }
        // Finishing may be done twice as well.
        let target = try target(out, resuming: true)
        try archive.finish(target)
        try archive.finish(target)
        expectEqual(try archive.compare(target, .all))
    }

    /// Runs the test below as user 65534, in a process of its own: threads cannot drop everything.
    @Test func anOrdinaryUserGetsAllHeMaySetAndTheRestIsListed() throws {
        guard Self.hasTools, Shell.has("setpriv"), !Ordinary.isChild else {
            return print("SKIPPED: importing as an ordinary user: not root, or a tool is missing")
        }
        let tree = try HostileTree(longPaths: false)
        defer { tree.remove() }
        let archive = try TestArchive(tree, entriesPerSegment: .max, cut: .max)
        let folder = tree.directory.path
        try Files.write(archive.segments[0].bytes, to: folder + "/segment")
        try Files.write(archive.index, to: folder + "/index")
        let out = folder + "/out"
        try Files.makeDirectory(out)
        #expect(chown(out, 65534, 65534) == 0 && chmod(folder, 0o755) == 0)
        let result = try Shell.run(
            [
                "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                "/proc/\(getpid())/exe", "--testing-library", "swift-testing", "--filter",
                "OrdinaryUserTests",
            ],
            environment: [Ordinary.variable: folder])
        if result.status == 126 || result.status == 127 {
            return print("SKIPPED: importing as an ordinary user: he may not run the tests")
        }
        let messages = result.text + String(decoding: result.errors, as: UTF8.self)
        #expect(result.status == 0 && messages.contains("with 1 test"), "\(messages)")
        let found = Dictionary(
            try TreeSnapshot(out).items.map { ($0.entry.path, $0.entry) }, uniquingKeysWith: { $1 })
        for (entry, _) in archive.entries where entry.kind != .character && entry.kind != .block {
            let copy = found[entry.path]
            if entry.kind != .hardlink { #expect(copy?.mode == entry.mode) }
            #expect(copy?.modified == entry.modified)
            #expect(copy?.accessACL == entry.accessACL && copy?.defaultACL == entry.defaultACL)
            #expect(copy?.uid == 65534)
        }
    }

    @Test func aTargetThatHoldsSomethingIsRefusedAddedToOrReplaced() throws {
        guard Self.hasTools else { return print("SKIPPED: importing: not root, or a tool missing") }
        let tree = try HostileTree(longPaths: false)
        defer { tree.remove() }
        let archive = try TestArchive(tree, entriesPerSegment: 9)
        let out = tree.directory.path + "/out"
        try Files.makeDirectory(out + "/a.d")
        try Files.write(Array("mine".utf8), to: out + "/plain")
        try Files.write(Array("mine".utf8), to: out + "/sparse")
        try Files.write(Array("mine".utf8), to: out + "/dangling")
        try Files.write(Array("mine".utf8), to: out + "/z-pipe")
        #expect(symlink("/etc/passwd", out + "/empty") == 0)
        #expect(throws: Failure(.targetOccupied, "")) { try target(out) }

        let added = try target(out, .add)
        try archive.restore(Array(archive.segments.indices), to: added)
        try archive.finish(added)
        for name in ["plain", "sparse", "dangling", "z-pipe"] {
            #expect(try Files.readText(out + "/" + name) == "mine")
            #expect(added.shortfalls.covers(Array(name.utf8), .existing))
        }
        #expect(added.shortfalls.covers(Array("empty".utf8), .existing))
        #expect(Files.kind(out + "/empty") == S_IFLNK)
        #expect(!added.shortfalls.covers(Array("a".utf8), .existing))
        expectEqual(try archive.compare(added, .owners))

        let passwords = try Files.read("/etc/passwd")
        let replaced = try target(out, .replace)
        try archive.restore(Array(archive.segments.indices), to: replaced)
        try archive.finish(replaced)
        #expect(replaced.shortfalls.count == 0)
        expectEqual(try archive.compare(replaced, .all))
        #expect(try Files.read("/etc/passwd") == passwords)
    }

    @Test func whatIsChangedOnTheTargetIsFound() throws {
        guard Self.hasTools else { return print("SKIPPED: importing: not root, or a tool missing") }
        let tree = try HostileTree(longPaths: false)
        defer { tree.remove() }
        let archive = try TestArchive(tree, entriesPerSegment: 50)
        let out = tree.directory.path + "/out"
        let target = try target(out)
        try archive.restore(Array(archive.segments.indices), to: target)
        try archive.finish(target)
        let changes: [([String], String)] = [
            (
                [
                    "sh", "-c",
                    "printf X | dd of=plain conv=notrunc; touch -d 1960-01-01T00:00:00.25Z plain",
                ], "content"
            ),
            (["sh", "-c", "printf X | dd of=sparse seek=99999999 bs=1 conv=notrunc"], "content"),
            (["sh", "-c", "printf X >> a-b"], "size"),
            (["chmod", "600", "setuid"], "mode"),
            (["chown", "7", "star*"], "owner"),
            (["touch", "%20"], "mtime"),
            (["setfattr", "-n", "user.new", "-v", "x", "é-utf8"], "xattr user.new"),
            (["setfattr", "-x", "user.none", "attribute-empty"], "xattr user.none"),
            (["setfacl", "-m", "u:1000:rwx", "a.d/x"], "acl"),
            (["sh", "-c", "rm 'z hard link'; cp -a plain 'z hard link'"], "link"),
            (["ln", "-sfn", "elsewhere", "long link"], "link"),
            (["rm", "empty file/x"], "object"),
            (["mkdir", "new"], "object"),
        ]
        for (command, _) in changes { #expect(try Shell.run(command, in: out).status == 0) }
        let comparison = try archive.compare(target, .all)
        #expect(!comparison.isEqual)
        #expect(comparison.contentExpected.root != comparison.contentFound.root)
        #expect(comparison.metadataExpected.root != comparison.metadataFound.root)
        let found = comparison.differences.map(\.attribute)
        for attribute in Set(changes.map(\.1)) {
            #expect(
                found.filter { $0 == attribute }.count
                    >= changes.filter { $0.1 == attribute }.count, "\(attribute)")
        }
    }

    @Test func ownersAreMappedInFilesAndInLists() throws {
        guard Self.hasTools else { return print("SKIPPED: importing: not root, or a tool missing") }
        let tree = try HostileTree(longPaths: false)
        defer { tree.remove() }
        let archive = try TestArchive(tree, entriesPerSegment: 50)
        var owners = try OwnerMapping(
            .names, users: ["3000000": "daemon", "1000": "4242"], groups: ["root": "99"])
        owners.learn(from: try archive.summary())
        let target = try target(tree.directory.path + "/out", owners: owners)
        try archive.restore(Array(archive.segments.indices), to: target)
        try archive.finish(target)
        expectEqual(try archive.compare(target, .all))
        let items = try TreeSnapshot(tree.directory.path + "/out").items.map(\.entry)
        let mapped = items.first { $0.path == Array("a".utf8) }
        #expect(mapped?.owner == Array("daemon".utf8) && mapped?.gid == 2_999_999)
        let listed = items.first { $0.path == Array("a.d/x".utf8) }
        #expect(listed?.gid == 99)
        #expect(listed?.accessACL?.text.contains("user:4242:r--,user:70000:r-x") != true)
        #expect(listed?.accessACL?.text.contains("user:4242:r--") == true)
        #expect(throws: Failure(.invalidValue, "")) {
            try OwnerMapping(.numeric, users: ["root": "nobody knows them"])
        }
    }

    /// Two find the same directory empty, and each would take what the other makes for its own.
    @Test func aTargetIsOneImportsAloneUnlessItMayHoldMore() throws {
        let directory = try TemporaryDirectory()
        let out = directory.path + "/out"
        do {
            let first = try target(out)
            #expect(throws: Failure(.locked, "")) { try target(out) }
            #expect(throws: Failure(.locked, "")) { try target(out, resuming: true) }
            #expect(throws: Failure(.locked, "")) { try target(out, .add) }
            withExtendedLifetime(first) {}
        }
        let first = try target(out, .add)
        let second = try target(out, .replace)
        #expect(throws: Failure(.locked, "")) { try target(out) }
        withExtendedLifetime((first, second)) {}
    }

    /// A process that is stopped while it tries something out in the root leaves it another time.
    @Test func aFinishedTargetIsOpenedWithoutATrace() throws {
        let directory = try TemporaryDirectory()
        let out = directory.path + "/out"
        let first = try target(out)
        let findings = try JSON(parsing: first.findings.line)
        var before = stat()
        #expect(unsafe stat(out, &before) == 0)
        let again = try TreeTarget(
            finished: out, findings, existing: .refuse, owners: OwnerMapping(.numeric))
        var after = stat()
        #expect(unsafe stat(out, &after) == 0)
        #expect(FileTime(after.st_ctim) == FileTime(before.st_ctim))
        #expect(again.probe == first.probe)
        #expect(again.findings == first.findings)
        #expect(again.isPrivileged == first.isPrivileged)
    }

    @Test(arguments: [
        "{}", #"{"folds":false,"uid":-1,"gid":0,"mode":420,"acl":false,"times":{}}"#,
        #"""
        {"folds":false,"uid":0,"gid":0,"mode":420,"acl":false,
        "times":{"first":"2","last":"1","step":1,"nanosecond-step":1}}
        """#,
        #"""
        {"folds":false,"uid":0,"gid":0,"mode":420,"acl":false,
        "times":{"first":"1","last":"2","step":1,"nanosecond-step":0}}
        """#,
    ]) func damagedFindingsAreRefused(_ text: String) throws {
        let directory = try TemporaryDirectory()
        let findings = try JSON(parsing: Array(text.utf8))
        #expect(throws: Failure(.failed, "")) {
            try TreeTarget(
                finished: directory.path, findings, existing: .refuse,
                owners: OwnerMapping(.numeric))
        }
    }
}

/// What a test process started by the one above is told.
enum Ordinary {
    static let variable = "EXEAT_TEST_IMPORT"
    static let folder = getenv(variable).map { String(cString: $0) }
    static var isChild: Bool { folder != nil }
}

@Suite struct OrdinaryUserTests {
    @Test(.enabled(if: Ordinary.isChild)) func importing() throws {
        let folder = try #require(Ordinary.folder)
        let segment = try Files.read(folder + "/segment")
        let index = try Files.read(folder + "/index")
        let target = try TreeTarget(
            folder + "/out", existing: .refuse, resuming: false, owners: OwnerMapping(.numeric))
        var restorer = TreeRestorer(target)
        var reader = PaxReader(BytesSource(segment), to: .archive)
        try restorer.restore(&reader, progress: Progress())

        func forEach(_ body: (IndexedEntry) throws(Failure) -> Void) throws(Failure) {
            var lines = IndexReader(BytesSource(index))
            while let entry = try lines.nextEntry() { try body(entry) }
        }
        var finisher = TreeFinisher(target)
        try forEach { (entry) throws(Failure) in try finisher.add(entry) }
        try finisher.finish()
        var comparer = TreeComparer(
            target, names: OwnerNames(), scope: .all, firstLeaf: 0, progress: Progress())
        try forEach { (entry) throws(Failure) in try comparer.compare(entry) }
        let comparison = comparer.result
        #expect(comparison.mismatches == 0)
        for difference in comparison.differences where !difference.isShortfall {
            Issue.record("\(difference)")
        }
        #expect(comparison.metadataExpected.root == comparison.metadataFound.root)
        let list = target.shortfalls.list
        func lists(_ path: String, _ attribute: Shortfall.Attribute) -> Bool {
            list.contains { $0.path == Array(path.utf8) && $0.attribute == attribute }
        }
        #expect(lists("block", .object) && lists("character", .object))
        #expect(lists("a", .owner) && lists("dangling", .owner))
        #expect(lists("capability", .extended(Array("security.capability".utf8))))
        #expect(lists("pipe", .extended(Array("trusted.pipe".utf8))))
        #expect(!list.contains { $0.attribute == .mode || $0.attribute == .modified })
        var restrictor = TreeRestrictor(target)
        try forEach { (entry) throws(Failure) in try restrictor.add(entry) }
        try restrictor.finish()
        #expect(target.shortfalls.count == list.count)
    }
}
