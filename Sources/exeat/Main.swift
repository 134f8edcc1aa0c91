import Commands
import Dispatch

@main
struct Main {
    /// Not asynchronous itself: before the first line of such a one, the runtime waits for its threads.
    static func main() {
        Exeat.checkThreads()
        Task { await Exeat.launch() }
        dispatchMain()
    }
}
