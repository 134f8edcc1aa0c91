import Basics
import Glibc
import TestKit
import Testing

@testable import Archives

/// Plain tar programs restore what we write: every metadatum of every object, but for what
/// `TarLimits` names.
@Suite struct TarRestoreTests {
    func restore(_ tool: TarLimits.Tool, _ archive: String, into folder: String) throws
        -> Shell.Result
    {
        try Files.makeDirectory(folder)
        let arguments =
            switch tool {
            case .gnu:
                [
                    "tar", "--extract", "--xattrs", "--xattrs-include=*", "--acls",
                    "--numeric-owner",
                    "--same-owner", "-p", "-f", archive, "-C", folder,
                ]
            case .bsd: ["bsdtar", "-x", "-p", "--numeric-owner", "-f", archive, "-C", folder]
            }
        return try Shell.run(arguments, environment: ["LC_ALL": "C.UTF-8"])
    }

    func check(_ tool: TarLimits.Tool, longPaths: Bool) throws {
        guard Shell.has(tool == .gnu ? "tar" : "bsdtar"), Shell.has("setfacl"),
            Shell.has("setfattr"),
            geteuid() == 0
        else { return print("SKIPPED: restoring with \(tool): not root, or a tool is missing") }
        let tree = try HostileTree(longPaths: longPaths)
        defer { tree.remove() }
        let archive = tree.directory.path + "/tree.tar"
        let source = try TreeSnapshot(tree.path, writing: archive)
        let result = try restore(tool, archive, into: tree.directory.path + "/out")
        let limited = source.items.filter { !TarLimits.problems(of: $0.entry, for: tool).isEmpty }
        let messages = String(decoding: result.errors, as: UTF8.self).split(separator: "\n")
            .filter { !$0.contains("hdrcharset") && !$0.contains("time stamp") }
        if !longPaths { #expect(result.status == 0 && messages.isEmpty, "\(messages)") }

        let restored = try TreeSnapshot(tree.directory.path + "/out").lines
        let expected = source.lines
        let excused = Set(limited.map(\.entry.path))
        // The directory that a path too long was to be made in has another time.
        let parents = Set(
            excused.filter { $0.count > 4000 }.map { $0.prefix(4096).split(separator: 0x2f) }
                .map { Array($0.dropLast().joined(separator: [0x2f])) })
        for (path, line) in expected where !excused.contains(path) && !parents.contains(path) {
            #expect(restored[path] == line)
        }
        for path in restored.keys where expected[path] == nil {
            Issue.record("\(String(decoding: path, as: UTF8.self)) came from nowhere")
        }
        // And the excuses are true.
        for path in excused {
            #expect(restored[path] != expected[path], "\(tool) restores \(expected[path] ?? "")")
        }
    }

    @Test func gnuTarRestoresTheHostileTree() throws { try check(.gnu, longPaths: false) }

    @Test func gnuTarMissesOnlyPathsThatAreTooLong() throws { try check(.gnu, longPaths: true) }

    @Test func bsdtarRestoresTheHostileTree() throws { try check(.bsd, longPaths: false) }
}
