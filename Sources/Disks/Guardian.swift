import Basics
import Glibc

/// Ends a server of ours, and removes the directory of its socket, when this process was killed.
///
/// A small shell waits for the end of a pipe that the kernel closes with us. In the good case it is
/// killed with its owner, and does nothing.
struct Guardian: ~Copyable {
    // The order counts: the shell goes before the pipe ends.
    private let running: RunningCommand
    private let pipe: Descriptor

    /// The server may just have been started when we died: it is looked for a moment later, by the
    /// argument that nobody else has.
    private static let script = """
        trap '' INT TERM HUP
        read -r nothing
        sleep 1
        for file in /proc/[0-9]*/cmdline; do
            case " $(tr '\\0' ' ' 2>/dev/null <"$file")" in
            *" --socket=$1/socket "*) process=${file#/proc/} && kill "${process%/cmdline}" ;;
            esac
        done
        rm -rf -- "$1"
        """

    init(of directory: String) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
            throw Failure(errno: errno, "cannot make a pipe")
        }
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        let running = try Command("sh", ["-c", Self.script, "sh", directory])
            .start(input: reading.raw)
        self.running = running
        pipe = writing
    }
}
