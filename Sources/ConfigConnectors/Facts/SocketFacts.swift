import Basics
import Glibc

/// What listens: TCP and UDP ports, and sockets of the file system, each with its program.
enum SocketFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        var programs: [UInt64: String] = [:]
        if machine.isLive { programs = try Self.programs(machine) }
        for name in ["tcp", "tcp6", "udp", "udp6"] {
            try document.liveSource(name, machine) { (items) throws(Failure) in
                guard let bytes = try machine.kernelText("/proc/net/\(name)") else { return false }
                let text = String(decoding: bytes, as: UTF8.self)
                let ports = try ephemeralPorts(machine)
                let isUDP = name.hasPrefix("udp")
                for socket in sockets(text, isUDP: isUDP) {
                    // A client's port of UDP looks like a server's.
                    if isUDP, ports.contains(socket.port) { continue }
                    items.add(
                        "\(socket.address):\(socket.port)",
                        ["program": .string(programs[socket.inode] ?? "")])
                }
                return true
            }
        }
        try document.liveSource("unix", machine) { (items) throws(Failure) in
            guard let bytes = try machine.kernelText("/proc/net/unix") else { return false }
            for (path, inode) in unix(String(decoding: bytes, as: UTF8.self)) {
                items.add(path, ["program": .string(programs[inode] ?? "")])
            }
            return true
        }
    }

    struct ListeningSocket: Equatable {
        let address: String
        let port: Int
        let inode: UInt64
    }

    /// Lines of /proc/net/tcp and its like, proc_net(5): listening ones (state 0A), and of UDP those that
    /// are bound and not connected (07).
    static func sockets(_ text: String, isUDP: Bool) -> [ListeningSocket] {
        Text.lines(text).dropFirst().compactMap { line in
            let words = Text.words(line)
            guard words.count > 9, words[3] == (isUDP ? "07" : "0A"),
                let (host, port) = Text.halves(words[1], at: 0x3a),
                let number = Int(port, radix: 16), let inode = UInt64(words[9])
            else { return nil }
            return ListeningSocket(address: address(host), port: number, inode: inode)
        }
    }

    /// Words of four bytes, each in the order of the machine's bytes.
    private static func address(_ digits: String) -> String {
        let bytes = Hex.decode(digits.lowercased()) ?? []
        var turned: [UInt8] = []
        for start in stride(from: 0, to: bytes.count - 3, by: 4) {
            turned += bytes[start..<start + 4].reversed()
        }
        if turned.count == 4 { return turned.map { String($0) }.joined(separator: ".") }
        return "[\(NetworkFacts.colons(Hex.encode(turned)))]"
    }

    /// Listening sockets with a name below /run or /var; those of sessions and of programs that put
    /// their own number into the name come and go.
    static func unix(_ text: String) -> [(path: String, inode: UInt64)] {
        Text.lines(text).dropFirst().compactMap { line in
            let words = Text.words(line)
            guard words.count >= 8, words[3] == "00010000", let inode = UInt64(words[6]) else {
                return nil
            }
            let path = words[7...].joined(separator: " ")
            guard path.hasPrefix("/run/") || path.hasPrefix("/var/"), !path.hasPrefix("/run/user/")
            else { return nil }
            return (path, inode)
        }
    }

    private static func ephemeralPorts(_ machine: Machine) throws(Failure) -> ClosedRange<Int> {
        let bytes = try machine.kernelText("/proc/sys/net/ipv4/ip_local_port_range") ?? []
        let words = Text.words(Text.trimmed(String(decoding: bytes, as: UTF8.self)))
            .compactMap { Int($0) }
        return words.count == 2 && words[0] <= words[1] ? words[0]...words[1] : 32768...60999
    }

    /// Names of programs by the sockets they hold, as far as we may look; without numbers of processes.
    private static func programs(_ machine: Machine) throws(Failure) -> [UInt64: String] {
        var programs: [UInt64: String] = [:]
        for process in try machine.names("/proc") ?? []
        where process.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // A process that has gone, or is somebody else's.
            guard let names = try? machine.names("/proc/\(process)/fd") else { continue }
            var name: String?
            for descriptor in names {
                guard let target = try? machine.linkTarget("/proc/\(process)/fd/\(descriptor)"),
                    target.hasPrefix("socket:["), let inode = UInt64(target.dropFirst(8).dropLast())
                else { continue }
                if name == nil {
                    let bytes = try? machine.kernelText("/proc/\(process)/comm")
                    name = Text.trimmed(String(decoding: bytes ?? [], as: UTF8.self))
                }
                // The smallest name, where several hold it: workers of one server.
                let other = name ?? ""
                programs[inode] = min(programs[inode] ?? other, other)
            }
        }
        return programs
    }
}
