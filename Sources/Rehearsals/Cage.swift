import Basics
import Glibc

/// How a program is kept from the network, and under which user it runs.
struct Cage: Sendable {
    /// Words in front of the program.
    private let words: [String]
    /// A directory that the program sees elsewhere: `(where it is, where it sees it)`.
    let binding: (source: String, target: String)?
    let user: User?
    /// Whether it has a network of its own with nothing in it.
    let isIsolated: Bool

    /// A user of the system without rights of its own.
    struct User: Sendable, Equatable {
        let name: String
        let number: uid_t
        let group: gid_t

        /// The first of these that there is.
        static func first(of names: [String]) -> User? {
            for name in names {
                if let entry = unsafe getpwnam(name) {
                    return unsafe User(
                        name: name, number: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
                }
            }
            return nil
        }
    }

    /// What this machine lets us do, found out by trying.
    struct Rights: Sendable {
        let isRoot: Bool
        /// Words of unshare(1) that give a network of its own; empty where there is none to be had.
        let network: [String]
        /// Whether directories can be shown elsewhere to a program alone.
        let canBind: Bool

        static func found() -> Rights {
            let isRoot = geteuid() == 0
            func works(_ words: [String]) -> Bool {
                (try? Command(words[0], Array(words.dropFirst()))
                    .run(output: "/dev/null", errors: "/dev/null"))?.status == 0
            }
            let way = isRoot ? ["unshare"] : ["unshare", "--user", "--map-current-user"]
            // System V memory of a server that is killed goes with a name space of its own, else never.
            let ways = [way + ["--net", "--ipc"], way + ["--net"]]
            let network = ways.first { works($0 + ["--", "true"]) } ?? []
            let canBind =
                isRoot
                && works([
                    "unshare", "--mount", "--", "sh", "-c", "mount --bind /tmp /var/tmp",
                ])
            return Rights(isRoot: isRoot, network: network, canBind: canBind)
        }
    }

    /// Shows the directory where the program is to see it, and hides the sockets of this machine: some servers
    /// let everybody in who comes by them. Most lie in /run; the kernel knows the others, those of servers of this
    /// rehearsal among them. Shared memory goes with the name space, too: initdb tries out some, and would leave
    /// it where it is killed.
    private static let showing = #"""
        mount --bind "$1" "$2" || exit
        mount -t tmpfs -o mode=0755,size=1m none /run 2>/dev/null
        mount -t tmpfs -o mode=1777,size=64m none /dev/shm 2>/dev/null
        cat /proc/1/net/unix "/proc/$PPID/net/unix" 2>/dev/null |
            sed -n 's|^[^ ]*: \([^ ]* \)\{5\} *[0-9]* \(/.*\)|\2|p' | sort -u |
            while IFS= read -r door; do
                [ ! -S "$door" ] || mount --bind /dev/null "$door" 2>/dev/null
            done
        shift 2
        exec "$@"
        """#

    /// - Parameters:
    ///   - user: whom to become; only root can.
    ///   - isolated: false for what this machine must reach by its ports.
    init(
        _ rights: Rights, user: User? = nil, isolated: Bool = true,
        binding: (source: String, target: String)? = nil
    ) {
        var words: [String] = []
        let separates = isolated && !rights.network.isEmpty
        self.binding = rights.canBind ? binding : nil
        if separates || self.binding != nil {
            words += separates ? rights.network : ["unshare"]
            if self.binding != nil { words.append("--mount") }
            words.append("--")
        }
        if let binding = self.binding {
            words += [
                "sh", "-c", Self.showing, "sh", binding.source, binding.target,
            ]
        }
        if separates, rights.isRoot {
            // Statistics of older servers go through the loopback device.
            words += ["sh", "-c", "ip link set lo up 2>/dev/null; exec \"$@\"", "sh"]
        }
        if let user, rights.isRoot {
            words += [
                "setpriv", "--reuid=\(user.number)", "--regid=\(user.group)", "--clear-groups",
                "--",
            ]
        }
        self.words = words
        self.user = rights.isRoot ? user : nil
        isIsolated = separates
    }

    func wrapped(_ command: [String]) -> [String] { words + command }
}
