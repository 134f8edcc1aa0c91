import Basics
import Streams

@testable import Archives

/// Hand-made pieces of tar streams, honest or not.
enum TarBytes {
    static func header(
        _ name: String, _ flag: Character = "0", size: Int = 0, link: String = "",
        magic: String = "ustar\u{0}00", sum: Int? = nil, edit: (inout [UInt8]) -> Void = { _ in }
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            block.replaceSubrange(offset..<(offset + text.utf8.count), with: Array(text.utf8))
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: width - 1 - digits.utf8.count) + digits
        }
        put(name, 0)
        put(octal(0o644, 8), 100)
        put(octal(0, 8), 108)
        put(octal(0, 8), 116)
        put(octal(size, 12), 124)
        put(octal(0, 12), 136)
        put("        ", 148)
        put(String(flag), 156)
        put(link, 157)
        put(magic, 257)
        put(octal(0, 8), 329)
        put(octal(0, 8), 337)
        edit(&block)
        let total = sum ?? block.reduce(0) { $0 + Int($1) }
        put(octal(total, 7), 148)
        block[154] = 0
        return block
    }

    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: PaxWriter.padding(after: Int64(bytes.count)))
    }

    static func file(_ name: String, _ text: String = "") -> [UInt8] {
        header(name, size: text.utf8.count) + padded(Array(text.utf8))
    }

    static func directory(_ name: String) -> [UInt8] { header(name, "5") }

    static func records(_ pairs: [(String, String)]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (key, value) in pairs {
            let rest = " \(key)=\(value)\n".utf8.count
            var length = rest + 1
            while length != rest + String(length).utf8.count {
                length = rest + String(length).utf8.count
            }
            bytes += "\(length) \(key)=\(value)\n".utf8
        }
        return bytes
    }

    static func extended(_ pairs: [(String, String)], size: Int? = nil) -> [UInt8] {
        let data = records(pairs)
        return header("PaxHeaders/x", "x", size: size ?? data.count) + padded(data)
    }

    static func sparse(_ map: String, realSize: Int64, data: Int, size: Int? = nil) -> [UInt8] {
        let head = padded(Array(map.utf8))
        return extended([
            ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "s"),
            ("GNU.sparse.realsize", "\(realSize)"),
        ]) + header("GNUSparseFile.0/s", size: size ?? head.count + data) + head
            + padded([UInt8](repeating: 0x64, count: data))
    }

    /// Reads everything; the entries met before an error, and its code.
    static func read(
        _ bytes: [UInt8], from: PaxReader.Beginning = .entry, to: PaxReader.Ending = .entry,
        step: Int = 1 << 20
    ) -> (entries: [Entry], data: [[UInt8]], code: Failure.Code?) {
        var entries: [Entry] = []
        var data: [[UInt8]] = []
        do throws(Failure) {
            var reader = PaxReader(BytesSource(bytes, step: step), from: from, to: to)
            while let entry = try reader.next() {
                entries.append(entry)
                var content: [UInt8] = []
                try reader.readData { (bytes, _) throws(Failure) in
                    content.append(contentsOf: bytes)
                }
                data.append(content)
            }
            return (entries, data, nil)
        } catch {
            return (entries, data, error.code)
        }
    }
}
