import Basics
import Testing

@testable import ProxmoxConnector

@Suite struct SelectionTests {
    private let guest = GuestEntry(
        id: 101, kind: .machine, name: "dpi-db-1", node: "pve1", status: "running", pool: "dpi",
        tags: ["prod", "db"], isTemplate: false)

    @Test(arguments: [
        "all", "101", "pool/dpi", "tag/db", "node/pve1", "name/dpi-db-1", "name/dpi*", "name/*db*1",
        "name/*",
    ])
    func selectorsFit(text: String) throws {
        #expect(try #require(GuestSelector(text)).matches(guest))
    }

    @Test(arguments: [
        "102", "pool/DPI", "tag/d", "node/pve", "name/dpi", "name/*db", "name/dpi-db-1*2",
    ])
    func selectorsDoNotFit(text: String) throws {
        #expect(try !#require(GuestSelector(text)).matches(guest))
    }

    @Test(arguments: ["", "99", "0101", "+101", "pool/", "pool", "guest/101", "1e3", "All"])
    func whatIsNoSelectorIsRefused(text: String) { #expect(GuestSelector(text) == nil) }

    @Test func disksAreCutAtWholeLeavesIntoSomeThousandsAtMost() {
        for size: Int64 in [0, 1, 512, 1 << 20, (256 << 20) + 1, 3 << 40, 64 << 40] {
            let cut = DiskCut(size: size)
            #expect(cut.count >= 1)
            #expect(cut.step % (1 << 20) == 0 && cut.step <= 1 << 30)
            if size <= 4 << 40 { #expect(cut.count <= 4096) }
            var end: Int64 = 0
            for segment in [0, cut.count / 2, cut.count - 1] {
                let range = cut.range(segment)
                #expect(range.lowerBound == min(Int64(segment) * cut.step, size))
                if !range.isEmpty { #expect(cut.segment(at: range.lowerBound) == segment) }
                end = range.upperBound
            }
            #expect(end == size)
        }
    }

    @Test(arguments: [
        ("https://pve1:8006", "pve1"), ("https://[::1]:8006/", "::1"),
        ("https://10.0.0.1", "10.0.0.1"),
    ])
    func hostsOfAddresses(url: String, host: String) {
        #expect(ServerSettings.host(of: url) == host)
    }

    @Test(arguments: ["http://pve1", "pve1:8006", "https://", "https://root@pve1"])
    func whatIsNoAddressIsRefused(url: String) { #expect(ServerSettings.host(of: url) == nil) }

    @Test(arguments: [
        ("web", "100-web"), ("", "100"), ("../../etc", "100-------etc"), ("a b/c\n", "100-a-b-c-"),
        ("hôpital", "100-h-pital"),
    ])
    func foldersOfGuestsArePlain(name: String, folder: String) {
        #expect(GuestFolder.name(100, name) == folder)
    }

    @Test func namesOfDumpsAreRead() throws {
        let dump = try #require(
            DumpFiles.Dump(path: "/x/vzdump-qemu-100-2026_11_23-18_22_38.vma.zst"))
        #expect(dump.id == 100 && dump.kind == .machine && dump.taken == "2026_11_23-18_22_38")
        for name in [
            "vzdump-qemu-99-x.vma", "vzdump-qemu-100.vma", "x.vma", "vzdump-kvm-100-x.vma",
        ] {
            #expect(DumpFiles.Dump(path: name) == nil)
        }
    }
}
