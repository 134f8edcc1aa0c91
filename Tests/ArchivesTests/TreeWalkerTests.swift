import Basics
import Glibc
import TestKit
import Testing

@testable import Archives

@Suite struct TreeWalkerTests {
    func events(_ scope: TreeScope) throws -> [(path: String, event: WalkEvent)] {
        var walker = try TreeWalker(scope)
        var events: [(String, WalkEvent)] = []
        try walker.walk { (path, event) throws(Failure) in
            events.append((String(decoding: path, as: UTF8.self), event))
        }
        return events
    }

    func entries(_ scope: TreeScope) throws -> [String] {
        try events(scope).compactMap { if case .entry = $0.event { $0.path } else { nil } }
    }

    @Test func entriesComeInTheByteOrderOfFullPaths() throws {
        var random = SystemRandomNumberGenerator()
        let names = [
            "a", "a-", "a-b", "a.b", "a0", "aa", "b", "-", "é", "longer-name", "longer-nam",
            "longer-name-",
        ]
        for _ in 0..<15 {
            let directory = try TemporaryDirectory()
            var expected: Set<String> = [""]
            for _ in 0..<60 {
                let parts = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                    names.randomElement(using: &random) ?? "a"
                }
                let path = parts.joined(separator: "/")
                guard (try? Files.makeDirectory(directory.path + "/" + path)) != nil else {
                    continue
                }
                for count in 1...parts.count {
                    expected.insert(parts[..<count].joined(separator: "/"))
                }
                if Bool.random(using: &random) { continue }
                let file = path + "/" + (names.randomElement(using: &random) ?? "a") + "f"
                _ = try directory.file(file)
                expected.insert(file)
            }
            let sorted = expected.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try entries(TreeScope(paths: [directory.path])) == sorted)
        }
    }

    @Test func severalDirectoriesAreOneTreeFromTheRoot() throws {
        let directory = try TemporaryDirectory()
        for file in ["a/x", "a/sub/deep/y", "b/z", "other/n", "a-b/m"] {
            _ = try directory.file(file)
        }
        #expect(symlink("b", directory.path + "/link") == 0)
        let base = directory.path
        let scope = try TreeScope(paths: [
            base + "/link", base + "/a/", base + "/a/sub/deep", base + "/a", base + "/a-b",
        ])
        let prefix = String(base.dropFirst())
        let parents = prefix.split(separator: "/").indices.map {
            prefix.split(separator: "/")[...$0].joined(separator: "/")
        }
        let inside = [
            "a", "a-b", "a-b/m", "a/sub", "a/sub/deep", "a/sub/deep/y", "a/x", "b", "b/z",
        ]
        #expect(try entries(scope) == parents + inside.map { prefix + "/" + $0 })
    }

    @Test func whatAPatternLeavesOutIsToldAndNotEntered() throws {
        let directory = try TemporaryDirectory()
        for file in ["keep", "x.tmp", "cache/in", "sub/cache/in", "sub/y.tmp"] {
            _ = try directory.file(file)
        }
        let scope = try TreeScope(
            paths: [directory.path], excludes: GlobSet(["*.tmp", "/cache/", "!y.tmp"]))
        let told = try events(scope).map { (path, event) -> String in
            switch event {
            case .entry: path
            case .excluded(let status, let pattern): "\(path):\(status.kind.rawValue):\(pattern)"
            default: "\(path)?"
            }
        }
        #expect(
            told == [
                "", "cache:directory:1", "keep", "sub", "sub/cache", "sub/cache/in", "sub/y.tmp",
                "x.tmp:file:0",
            ])
    }

    @Test func aGivenDirectoryBelowAnExcludedOneStays() throws {
        let directory = try TemporaryDirectory()
        for file in ["cache/keep/in", "cache/other", "x"] { _ = try directory.file(file) }
        let scope = try TreeScope(
            paths: [directory.path, directory.path + "/cache/keep"], excludes: GlobSet(["cache"]))
        let prefix = directory.path.dropFirst() + "/"
        let told = try events(scope).filter { $0.path.hasPrefix(prefix) }.map { (path, event) in
            if case .entry = event {
                String(path.dropFirst(prefix.count))
            } else {
                "-" + path.dropFirst(prefix.count)
            }
        }
        #expect(told == ["cache", "cache/keep", "cache/keep/in", "-cache/other", "x"])
    }

    @Test func everyKindIsMetSocketsToo() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.file("file", [1, 2, 3])
        #expect(symlink("nowhere", directory.path + "/link") == 0)
        #expect(mkfifo(directory.path + "/pipe", 0o600) == 0)
        #expect(mknod(directory.path + "/sock", S_IFSOCK | 0o600, 0) == 0)
        let kinds = try events(TreeScope(paths: [directory.path])).map { (path, event) in
            if case .entry(let status) = event {
                "\(path):\(status.kind.rawValue):\(status.size)"
            } else {
                "?"
            }
        }
        #expect(
            kinds.dropFirst() == ["file:file:3", "link:symlink:7", "pipe:fifo:0", "sock:socket:0"])
    }

    @Test func aDirectoryThatCannotBeReadIsAnEntryAndAnEvent() throws {
        let directory = try TemporaryDirectory()
        for file in ["a/x", "a-b/y", "c"] { _ = try directory.file(file) }
        #expect(chmod(directory.path, 0o755) == 0)
        #expect(chmod(directory.path + "/a", 0) == 0)
        defer { chmod(directory.path + "/a", 0o700) }
        let scope = try TreeScope(paths: [directory.path])
        let told = try Unprivileged.run { try events(scope) }.map { (path, event) in
            if case .unreadable(.directory, errno: EACCES) = event { "-" + path } else { path }
        }
        #expect(told == ["", "a", "-a", "a-b", "a-b/y", "c"])
    }

    @Test func whatVanishesWhileWeLookIsTold() throws {
        let directory = try TemporaryDirectory()
        for file in ["a", "b", "c/x", "d/x", "d-e"] { _ = try directory.file(file) }
        var walker = try TreeWalker(try TreeScope(paths: [directory.path]))
        var told: [String] = []
        while let event = try walker.next() {
            let path = String(decoding: walker.path, as: UTF8.self)
            if case .entry = event { told.append(path) } else { told.append("\(path) \(event)") }
            if path == "a" {
                try Files.remove(directory.path + "/b")
                try Files.remove(directory.path + "/c")
            }
            if path == "d-e" {
                try Files.rename(directory.path + "/d", to: directory.path + "/old")
                try Files.makeDirectory(directory.path + "/d/new")
            }
        }
        #expect(
            told == [
                "", "a", "b \(WalkEvent.vanished(.file))", "c \(WalkEvent.vanished(.directory))",
                "d", "d-e", "d \(WalkEvent.vanished(.directory))",
            ])
    }

    @Test func mountPointsAreToldBindMountsToo() throws {
        let directory = try TemporaryDirectory()
        for file in ["bind/under", "fs/under", "src/x", "file"] { _ = try directory.file(file) }
        let base = directory.path
        guard geteuid() == 0,
            try Shell.run(["mount", "-t", "tmpfs", "none", base + "/fs"]).status == 0
        else { return print("SKIPPED: mounting is not allowed here") }
        defer { _ = try? Shell.run(["umount", base + "/fs", base + "/bind", base + "/file"]) }
        _ = try Shell.run(["mount", "--bind", base + "/src", base + "/bind"])
        _ = try Shell.run(["mount", "--bind", base + "/src/x", base + "/file"])
        _ = try directory.file("fs/on")
        func told(_ scope: TreeScope) throws -> [String] {
            try events(scope).map { (path, event) in
                if case .mountPoint = event { "-" + path } else { path }
            }
        }
        #expect(
            try told(TreeScope(paths: [base])) == ["", "-bind", "-file", "-fs", "src", "src/x"])
        #expect(
            try told(TreeScope(paths: [base], oneFileSystem: false))
                == ["", "bind", "bind/x", "file", "fs", "fs/on", "src", "src/x"])
        let prefix = base.dropFirst() + "/"
        let both = try told(TreeScope(paths: [base, base + "/fs"]))
        #expect(both.contains(prefix + "fs/on") && both.contains("-" + prefix + "bind"))
    }

    @Test func depthAndLengthHaveNoLimit() throws {
        let directory = try TemporaryDirectory()
        defer { _ = try? Shell.run(["rm", "-rf", directory.path + "/d"]) }
        let name = String(repeating: "d", count: 20)
        var here = open(directory.path, O_RDONLY | O_DIRECTORY)
        for level in 0..<300 {
            let part = level == 0 ? "d" : name
            #expect(mkdirat(here, part, 0o755) == 0)
            let next = openat(here, part, O_RDONLY | O_DIRECTORY)
            if level > 0 { close(openat(here, "e", O_CREAT | O_WRONLY, 0o600)) }
            close(here)
            here = next
        }
        close(here)
        var walker = try TreeWalker(try TreeScope(paths: [directory.path]))
        var count = 0
        var longest = 0
        var most = 0
        while let event = try walker.next() {
            guard case .entry = event else {
                Issue.record("\(event)")
                break
            }
            count += 1
            longest = max(longest, walker.path.count)
            if count == 150 {
                most = try Files.names(in: "/proc/self/fd").filter {
                    ((try? LinkTarget.read(AT_FDCWD, "/proc/self/fd/" + $0)) ?? [])
                        .starts(with: Array((directory.path + "/").utf8))
                }.count
            }
            let reached = try walker.withObject { (parent, name) throws(Failure) in
                faccessat(parent, name, F_OK, 0)
            }
            #expect(reached == 0)
        }
        #expect(count == 600 && longest > 6_000 && most <= 100 && most > 50)
    }

    @Test func aDirectoryThatMovedAwayIsNotMistakenOnTheWayBack() throws {
        let directory = try TemporaryDirectory()
        defer {
            _ = try? Shell.run(["rm", "-rf", directory.path + "/top", directory.path + "/moved"])
        }
        let deep = "top" + String(repeating: "/d", count: 120)
        try Files.makeDirectory(directory.path + "/" + deep)
        _ = try directory.file("top/e")
        _ = try directory.file("top/d/e")
        var walker = try TreeWalker(try TreeScope(paths: [directory.path]))
        var told: [String] = []
        while let event = try walker.next() {
            let path = String(decoding: walker.path, as: UTF8.self)
            if path == deep {
                // The way back by ".." leads elsewhere, and by the path as well.
                try Files.rename(directory.path + "/top/d/d", to: directory.path + "/moved")
                try Files.rename(directory.path + "/top/d", to: directory.path + "/top/gone")
            }
            if !path.hasSuffix("d") { told.append("\(path) \(event == .vanished(.file))") }
        }
        #expect(told == [" false", "top false", "top/d/e true", "top/e false"])
    }

    @Test func aScopeNeedsDirectoriesThatAreThere() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("f")
        #expect(throws: Failure(.invalidValue, "")) { try TreeScope(paths: []) }
        #expect(throws: Failure(.invalidValue, "")) { try TreeScope(paths: [file]) }
        #expect(throws: Failure(.notFound, "")) { try TreeScope(paths: ["/etc", file + "-not"]) }
    }

    @Test func aBigFlatTreeIsWalkedWhole() throws {
        let directory = try TemporaryDirectory()
        for folder in 0..<10 {
            try Files.makeDirectory("\(directory.path)/\(folder)")
            for index in 0..<2000 {
                close(open("\(directory.path)/\(folder)/file-\(index)", O_CREAT | O_WRONLY, 0o600))
            }
        }
        let clock = ContinuousClock()
        let began = clock.now
        let paths = try entries(TreeScope(paths: [directory.path]))
        print("walked \(paths.count) entries in \(clock.now - began)")
        #expect(paths.count == 20_011)
        #expect(
            zip(paths, paths.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test func mountTablesAreReadWithTheirEscapes() {
        let text = """
            22 1 8:1 / / rw - ext4 /dev/vda rw
            23 22 0:5 / /srv/a\\040b\\134c rw - tmpfs none rw
            24 22 0:5 / /srvx rw - tmpfs none rw

            """
        let table = MountTable(mountInfo: Array(text.utf8), below: Array("/srv".utf8))
        #expect(table.paths == [Array("a b\\c".utf8)])
        #expect(MountTable(mountInfo: Array(text.utf8), below: [0x2f]).paths.count == 2)
    }
}
