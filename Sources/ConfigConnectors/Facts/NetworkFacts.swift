import Basics
import Glibc

/// The machine's name and place in the network: what is written down, and what holds now.
enum NetworkFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try document.source("name") { (items) throws(Failure) in
            var isThere = false
            for file in ["hostname", "mailname", "domainname"] {
                guard let text = try machine.text("/etc/\(file)") else { continue }
                isThere = true
                items.add(file, .string(Text.statements(text).first ?? ""))
            }
            return isThere
        }
        try document.source("host") { (items) throws(Failure) in
            guard let text = try machine.text("/etc/hosts") else { return false }
            hosts(text, &items)
            return true
        }
        try document.source("resolver") { (items) throws(Failure) in
            guard let text = try machine.text("/etc/resolv.conf") else { return false }
            resolver(text, &items)
            return true
        }
        try document.liveSource("interface", machine) { (items) throws(Failure) in
            for name in try machine.names("/sys/class/net") ?? [] where !isPassing(name) {
                func value(_ file: String) -> String {
                    let bytes = try? machine.kernelText("/sys/class/net/\(name)/\(file)")
                    return Text.trimmed(String(decoding: bytes ?? [], as: UTF8.self))
                }
                items.add(
                    name,
                    [
                        "address": .string(value("address")), "mtu": .string(value("mtu")),
                        "type": .string(value("type")),
                    ])
            }
            return true
        }
        try document.liveSource("address", machine) { (items) throws(Failure) in
            for address in try InterfaceAddress.all() where !isPassing(address.interface) {
                items.add("\(address.text)/\(address.prefix) \(address.interface)", .object([]))
            }
            return true
        }
        try document.liveSource("route", machine) { (items) throws(Failure) in
            guard let four = try machine.kernelText("/proc/net/route") else { return false }
            routes(String(decoding: four, as: UTF8.self), &items)
            if let six = try machine.kernelText("/proc/net/ipv6_route") {
                routes6(String(decoding: six, as: UTF8.self), &items)
            }
            return true
        }
    }

    /// Interfaces that container engines make and take away.
    private static func isPassing(_ interface: String) -> Bool {
        ["veth", "cali", "tap"].contains { interface.hasPrefix($0) }
    }

    static func hosts(_ text: String, _ items: inout FactItems) {
        var names: [String: [String]] = [:]
        for line in Text.statements(text) {
            let words = Text.words(line.prefix { $0 != "#" })
            guard let address = words.first else { continue }
            names[address, default: []] += words.dropFirst()
        }
        for (address, names) in names { items.add(address, .strings(names)) }
    }

    /// resolv.conf(5); the order of servers is their meaning.
    static func resolver(_ text: String, _ items: inout FactItems) {
        var values: [String: [String]] = [:]
        for line in Text.statements(text, comments: ["#", ";"]) {
            let words = Text.words(line)
            guard let key = words.first else { continue }
            values[key, default: []] += words.dropFirst()
        }
        for (key, values) in values { items.add(key, .strings(values)) }
    }

    // MARK: - Routes

    /// /proc/net/route: addresses are hexadecimal numbers in the order of the machine's bytes.
    static func routes(_ text: String, _ items: inout FactItems) {
        for line in Text.lines(text).dropFirst() {
            let words = Text.words(line)
            guard words.count >= 8, let destination = UInt32(words[1], radix: 16),
                let gateway = UInt32(words[2], radix: 16), let mask = UInt32(words[7], radix: 16),
                !isPassing(words[0])
            else { continue }
            let target =
                destination == 0 && mask == 0
                ? "default" : "\(dotted(destination))/\(mask.nonzeroBitCount)"
            items.add(
                "\(target) \(words[0])" + (gateway == 0 ? "" : " via \(dotted(gateway))"),
                ["metric": .string(words[6])])
        }
    }

    private static func dotted(_ number: UInt32) -> String {
        (0..<4).map { String(UInt8(truncatingIfNeeded: number >> UInt32(8 * $0))) }
            .joined(separator: ".")
    }

    /// /proc/net/ipv6_route, without what the kernel makes by itself for every interface.
    static func routes6(_ text: String, _ items: inout FactItems) {
        for line in Text.lines(text) {
            let words = Text.words(line)
            guard words.count >= 10, let flags = UInt32(words[8], radix: 16),
                let prefix = Int(words[1], radix: 16), let metric = UInt32(words[5], radix: 16),
                words[9] != "lo", !isPassing(words[9])
            else { continue }
            // RTF_LOCAL, RTF_CACHE, RTF_ANYCAST, RTF_REJECT of <linux/ipv6_route.h>.
            let own =
                flags & 0x8000_0000 != 0 || flags & 0x0100_0000 != 0
                || flags & 0x0010_0000 != 0 || flags & 0x0200 != 0
            if own || words[0].hasPrefix("ff") || words[0].hasPrefix("fe80") { continue }
            let isDefault = prefix == 0 && words[0].allSatisfy { $0 == "0" }
            let target = isDefault ? "default6" : "\(colons(words[0]))/\(prefix)"
            let hasGateway = words[4].contains { $0 != "0" }
            items.add(
                "\(target) \(words[9])" + (hasGateway ? " via \(colons(words[4]))" : ""),
                ["metric": .string(String(metric))])
        }
    }

    /// 32 hexadecimal digits as an address in its shortest form (RFC 5952).
    static func colons(_ digits: String) -> String {
        var address = in6_addr()
        guard let bytes = Hex.decode(digits), bytes.count == 16 else { return digits }
        unsafe withUnsafeMutableBytes(of: &address) { unsafe $0.copyBytes(from: bytes) }
        var text = [CChar](repeating: 0, count: 64)
        guard unsafe inet_ntop(AF_INET6, &address, &text, 64) != nil else { return digits }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// An address of an interface, from getifaddrs(3).
struct InterfaceAddress: Sendable {
    let interface: String
    let text: String
    let prefix: Int

    static func all() throws(Failure) -> [InterfaceAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else {
            throw Failure(errno: errno, "cannot list the addresses of the interfaces")
        }
        defer { unsafe freeifaddrs(list) }
        var found: [InterfaceAddress] = []
        var next = unsafe list
        while let current = unsafe next {
            unsafe next = current.pointee.ifa_next
            guard let address = unsafe current.pointee.ifa_addr,
                let mask = unsafe current.pointee.ifa_netmask,
                let text = unsafe text(of: address)
            else { continue }
            let bits = unsafe bits(of: mask)
            unsafe found.append(
                InterfaceAddress(
                    interface: String(cString: current.pointee.ifa_name), text: text, prefix: bits))
        }
        return found
    }

    private static func text(of address: UnsafeMutablePointer<sockaddr>) -> String? {
        let family = unsafe Int32(address.pointee.sa_family)
        let length: Int
        switch family {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var text = [CChar](repeating: 0, count: 128)
        let status = unsafe getnameinfo(
            address, socklen_t(length), &text, 128, nil, 0, NI_NUMERICHOST)
        guard status == 0 else { return nil }
        let characters = text.prefix { $0 != 0 && $0 != 0x25 }
        return String(decoding: characters.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func bits(of mask: UnsafeMutablePointer<sockaddr>) -> Int {
        // The address follows the family: at 4 of sockaddr_in, at 8 of sockaddr_in6.
        let isSix = unsafe Int32(mask.pointee.sa_family) == AF_INET6
        let bytes = unsafe UnsafeRawBufferPointer(start: mask, count: isSix ? 24 : 8)
        return unsafe bytes[(isSix ? 8 : 4)...].reduce(0) { $0 + $1.nonzeroBitCount }
    }
}
