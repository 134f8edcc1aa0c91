import Basics
import Glibc

/// Ends servers and removes what they restored when this process is killed.
///
/// A small shell, in a session of its own, waits for the end of a pipe that the kernel closes with us.
/// In the good case it is killed with its owner, and does nothing. Should it be killed as well, the
/// next rehearsal does the same.
final class Guardian: Sendable {
    // The order counts: the shell goes before the pipe ends.
    private let running: RunningCommand
    private let pipe: Descriptor

    private static let script = """
        trap '' INT TERM HUP
        read -r nothing
        started() { shift 19; echo "$1"; }
        for record in "$1"/processes/*; do
            read -r process start <"$record" || continue
            read -r line <"/proc/$process/stat" || continue
            [ "$(started ${line##*) })" = "$start" ] && kill -KILL "$process"
        done
        # What is dying may still write.
        for try in 1 2 3 4 5 6 7 8 9; do
            sleep 1
            whole=yes
            while read -r place; do
                case $place in
                */../*) ;;
                /*/exeat-rehearsal-*) rm -rf --one-file-system -- "$place" || whole= ;;
                esac
            done <"$1/places"
            # The list goes last: it says what else there is.
            find "$1" -mindepth 1 -maxdepth 1 ! -name places -exec rm -rf --one-file-system -- {} +
            [ -n "$whole" ] && rm -rf --one-file-system -- "$1" && break
        done
        """

    init(of directory: String) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else {
            throw Failure(errno: errno, "cannot make a pipe")
        }
        let reading = Descriptor(owning: ends[0])
        let writing = Descriptor(owning: ends[1])
        let running = try Command("setsid", ["sh", "-c", Self.script, "sh", directory])
            .start(input: reading.raw)
        self.running = running
        pipe = writing
    }
}
