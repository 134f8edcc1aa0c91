import Basics
import Primitives
import Streams
import Testing

@testable import Archives

@Suite struct IndexCheckTests {
    /// Lines of an index: "d path", "f path", "s path target", "h path target", "o path".
    func index(_ lines: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (number, line) in lines.enumerated() {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false).map {
                Array($0.utf8)
            }
            let kinds: [Character: Entry.Kind] = [
                "d": .directory, "f": .file, "s": .symlink, "h": .hardlink, "p": .fifo,
            ]
            guard let letter = line.first, let kind = kinds[letter] else {
                IndexLine.append(
                    omitted: parts[1], .file, reason: "excluded", accepted: true, to: &bytes)
                continue
            }
            var entry = Entry(path: parts[1], kind: kind)
            if parts.count > 2 { entry.target = parts[2] }
            IndexLine.append(
                entry, digest: .sha256(SHA256.hash([])), segment: 0, offset: Int64(number),
                to: &bytes)
        }
        return bytes
    }

    func code(
        _ lines: [String], limits: IndexLimits = IndexLimits(), folds: Bool = false
    ) -> Failure.Code? {
        let bytes = index(lines)
        do throws(Failure) {
            _ = try IndexCheck.check(limits: limits, folds: folds) { () throws(Failure) in
                IndexReader(BytesSource(bytes, step: 13))
            }
            return nil
        } catch {
            return error.code
        }
    }

    @Test func goodTreesPass() {
        #expect(code([]) == nil)
        #expect(code(["d ", "d a", "f a!", "f a-b", "f a/b", "d a/c", "f a/c/d", "f b"]) == nil)
        #expect(code(["d etc", "d usr", "d usr/share", "f usr/share/x"]) == nil)
        #expect(code(["f a", "h b a", "s c x", "h d c", "h e a", "p f", "h g f"]) == nil)
        #expect(code(["d a", "o a", "o a/b", "d a/c", "o a/c/x", "f a/d"]) == nil)
    }

    @Test func whateverHoldsAnEntryMustBeADirectoryBeforeIt() {
        #expect(code(["f a/b"]) == .treePathUnsafe)
        #expect(code(["d a", "f b/c"]) == .treePathUnsafe)
        #expect(code(["d a", "d a/b", "f a/c/d"]) == .treePathUnsafe)
        #expect(code(["f a", "f a/b"]) == .treePathUnsafe)
        #expect(code(["s a /etc", "f a/passwd"]) == .treeLinkUnsafe)
        #expect(code(["d 0", "h a 0", "f a/b"]) == .treeLinkUnsafe)
        #expect(code(["s a x", "d a!", "f a/b"]) == .treeLinkUnsafe)
    }

    @Test func hardLinksLeadToEarlierFilesOnly() {
        #expect(code(["f a", "h b nothing"]) == .treeLinkUnsafe)
        #expect(code(["h a b", "f b"]) == .treeLinkUnsafe)
        #expect(code(["f a", "h b a", "h c b"]) == .treeLinkUnsafe)
        #expect(code(["d a", "h b a"]) == .treeLinkUnsafe)
        #expect(code(["h a a"]) == .treeLinkUnsafe)
        #expect(code(["h a ../a"]) == .treePathUnsafe)
        #expect(code(["h a /etc/passwd"]) == .treePathUnsafe)
    }

    @Test func disorderDuplicatesAndExcessAreRefused() {
        #expect(code(["f b", "f a"]) == .treeOrder)
        #expect(code(["f a", "f a"]) == .treeOrder)
        #expect(code(["f b", "o a"]) == .treeOrder)
        #expect(code(["f a", "f b"], limits: IndexLimits(entries: 1)) == .treeMismatch)
        let huge = index(["f a", "f b"])
        let text = String(decoding: huge, as: UTF8.self)
            .replacing("\"size\":0", with: "\"size\":9223372036854775807")
        #expect(throws: Failure(.treeMismatch, "")) {
            try IndexCheck.check { () throws(Failure) in IndexReader(BytesSource(Array(text.utf8)))
            }
        }
        let positions = String(decoding: huge, as: UTF8.self)
            .replacing("\"offset\":1", with: "\"offset\":0")
        #expect(throws: Failure(.treeOrder, "")) {
            try IndexCheck.check { () throws(Failure) in
                IndexReader(BytesSource(Array(positions.utf8)))
            }
        }
    }

    @Test func twinsAreRefusedWhereTheTargetFolds() {
        for lines in [
            ["f A", "f a"], ["d a", "f a/X", "f a/x"], ["f e\u{301}", "f é"],
            ["f STRASSE", "f straße"],
            ["d A", "d a"], ["f b\u{212a}", "f bk"],
        ] {
            let sorted = lines.sorted {
                $0.dropFirst(2).utf8.lexicographicallyPrecedes($1.dropFirst(2).utf8)
            }
            #expect(code(sorted) == nil)
            #expect(code(sorted, folds: true) == .treeTwins)
        }
        #expect(code(["d a", "f a/x", "d b", "f b/x"], folds: true) == nil)
        #expect(code(["d a", "f a!", "f a/X", "d b", "f b/x"], folds: true) == nil)
    }

    @Test func linesAreReadBackAsWritten() throws {
        var entry = Entry(path: [0x61, 0xff], kind: .directory)
        entry.mode = 0o1755
        entry.owner = Array("é\"\\\n\u{1}".utf8)
        entry.group = [0xfe]
        entry.modified = FileTime(seconds: -5, nanoseconds: 1)
        entry.attributes = [
            ExtendedAttribute(name: Array("user.a".utf8), value: [0]),
            ExtendedAttribute(name: Array("user.b".utf8), value: [UInt8](repeating: 1, count: 65)),
        ]
        entry.accessACL = AccessControlList(
            text: "user::rwx,user:1:r--,group::r-x,mask::rwx,other::---")
        entry.defaultACL = entry.accessACL
        var bytes: [UInt8] = []
        IndexLine.append(entry, digest: nil, hasChanged: true, segment: 3, offset: 99, to: &bytes)
        var reader = IndexReader(BytesSource(bytes, step: 1))
        let indexed = try #require(try reader.nextEntry())
        #expect(
            indexed.attributeDigests == entry.attributes.map { TreeLeaf.AttributeDigest($0) })
        #expect(indexed.segment == 3 && indexed.offset == 99 && indexed.hasChanged)
        var leaf = TreeLeaf()
        #expect(
            leaf.metadata(of: indexed.entry, attributes: indexed.attributeDigests)
                == leaf.metadata(of: entry))
        entry.attributes.removeLast()
        #expect(indexed.entry == entry)
        #expect(try reader.next() == nil)
    }

    /// Entries of all kinds, files of all layouts, names that look like members, and omissions.
    private func mixedIndex() -> (bytes: [UInt8], entries: [Entry]) {
        var bytes: [UInt8] = []
        var entries: [Entry] = []
        let names = [
            "a", #"b","size":9,"holes":true,"x":""#, #"c\"#, "d\n", #"e,"omitted":"f"#, "é", "z",
        ]
        for (number, kind) in Entry.Kind.allCases.enumerated() {
            for (place, name) in names.enumerated() {
                var entry = Entry(path: Array("\(number)/\(name)".utf8), kind: kind)
                entry.owner = Array((place < 3 ? "anne" : name).utf8)
                entry.group = place == 2 ? [0xff] : Array("staff".utf8)
                if kind == .symlink || kind == .hardlink { entry.target = Array(name.utf8) }
                if kind == .file {
                    entry.size = [0, 1, 1 << 20, TreeTarget.largestSimpleFile][place % 4]
                    if place == 4 { entry.size += TreeTarget.largestSimpleFile + 1 }
                    if place == 5 { entry.extents = [] }
                }
                let digest = kind == .file ? ContentDigest.sha256(SHA256.hash([])) : nil
                IndexLine.append(entry, digest: digest, segment: 0, offset: 512, to: &bytes)
                entries.append(entry)
            }
            IndexLine.append(
                omitted: Array("\(number)/zz".utf8), .file, reason: "excluded", accepted: true,
                to: &bytes)
            IndexLine.append(
                omitted: Array("\(number)/zzz".utf8), nil, reason: "vanished", accepted: false,
                to: &bytes)
        }
        return (bytes, entries)
    }

    @Test func ownersThatNeighboursShareAreReadRight() throws {
        let (bytes, entries) = mixedIndex()
        var reader = IndexReader(BytesSource(bytes))
        for entry in entries where entry.kind != .hardlink {
            var read = try #require(try reader.nextEntry())
            while read.entry.kind == .hardlink { read = try #require(try reader.nextEntry()) }
            #expect(read.entry.owner == entry.owner && read.entry.group == entry.group)
        }
    }

    @Test func thePathsAloneAreThoseOfTheEntries() throws {
        let (bytes, entries) = mixedIndex()
        var reader = IndexReader(BytesSource(bytes))
        for entry in entries { #expect(try reader.nextPath() == entry.path) }
        #expect(try reader.nextPath() == nil)
    }

    @Test func whatIsLateAreAllEntriesButFilesInOnePiece() throws {
        let (bytes, entries) = mixedIndex()
        let late = entries.filter {
            $0.kind != .file || $0.extents != nil || $0.size > TreeTarget.largestSimpleFile
        }
        #expect(late.count(where: { $0.kind == .file }) == 2)
        var reader = IndexReader(BytesSource(bytes))
        for entry in late { #expect(try reader.nextLate()?.entry.path == entry.path) }
        #expect(try reader.nextLate() == nil)
    }

    @Test func everyLineThatIsNotInTheOneFormIsRefused() {
        let good =
            #"{"path":"a","type":"file","mode":"0644","uid":0,"gid":0,"mtime":[0,0],"size":0,"#
            + #""sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#
            + #""segment":0,"offset":0}"#
        func code(_ line: String) -> Failure.Code? {
            do throws(Failure) {
                var reader = IndexReader(BytesSource(Array(line.utf8)))
                while try reader.next() != nil {}
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(good + "\n") == nil)
        #expect(code(good) == .truncated)
        #expect(code("\n") == .treeMalformed)
        for (old, new) in [
            ("0644", "644"), ("0644", "10644"), ("0644", "0648"), (#""uid":0"#, #""uid":-1"#),
            (#""uid":0"#, #""uid":00"#), (#""uid":0"#, #""uid":4294967296"#),
            (#""uid":0,"gid":0"#, #""gid":0,"uid":0"#), ("[0,0]", "[0,1000000000]"),
            ("[0,0]", "[-0,0]"), ("[0,0]", "[0, 0]"), (#""size":0,"#, ""), ("e3b0", "E3b0"),
            ("b855", "b85"), ("}", #","x":1}"#), ("}", "} "), (#""a""#, #""\u0061""#),
            (#""path":"a""#, #""path64":"YQ==""#), (#""file""#, #""socket""#),
            (#""size":0"#, #""size":0,"size":0"#), (#""a""#, "\"\u{9}\""), (#""a""#, #""\/""#),
        ] {
            #expect(
                code(good.replacing(old, with: new, maxReplacements: 1) + "\n") == .treeMalformed,
                "\(new)")
        }
        for path in ["../a", "/a", "a/", "a//b", "", ".", "a/..", "a\\u0000b"] {
            let line = good.replacing(#""path":"a""#, with: "\"path\":\"\(path)\"") + "\n"
            #expect([.treePathUnsafe, .treeMalformed].contains(code(line)), "\(path)")
        }
        #expect(code(good + String(repeating: " ", count: 2 << 20) + "\n") == .treeMalformed)
    }
}
