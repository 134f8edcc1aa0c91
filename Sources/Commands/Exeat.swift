public import ArgumentParser
import Basics
import Glibc
import Runs

/// The command line. `Main` in the executable target calls it and does nothing else.
public struct Exeat: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "exeat",
        abstract: "Take a hospital's data out, prove that all of it arrived.",
        discussion: """
            Exeat pulls data out of one place into a signed archive that describes itself, and \
            replays it in another place. A plan in YAML says what leaves and how it is sealed.

            EXAMPLES
              exeat keys new keys/hoster
              exeat plan plan.yaml
              exeat export plan.yaml --output archive
              exeat verify archive --trust keys/hoster.trust.json
              exeat import archive import.yaml
              exeat rehearse archive rehearsal.yaml
              exeat report archive --trust keys/hoster.trust.json --output dossier.html

            EXIT STATUS
              0    all that was expected is there and equal
              1    failed
              2    finished and sealed, with omissions that the plan does not cover,
                   or without a time-stamp that it asks for
              3    verification, comparison or a probe failed
              4    the objective of a rehearsal was missed
              64   wrong usage
              130  interrupted; the same command resumes
            """,
        version: "exeat \(Tool.version)",
        subcommands: [
            KeysCommand.self, PlanCommand.self, ExportCommand.self, VerifyCommand.self,
            InspectCommand.self, ExtractCommand.self, ImportCommand.self, RehearseCommand.self,
            AttestCommand.self, ReportCommand.self, DeadlinesCommand.self,
        ])

    public init() {}

    /// Ends the process where it may not have the threads that it takes; called before there are any, and
    /// before any file is opened.
    public static func checkThreads() {
        Descriptor.occupyStandard()
        Descriptor.raiseLimit()
        do throws(Failure) { try ThreadSupply.check() } catch {
            Terminal.say(error)
            end(error.code.exitStatus)
        }
    }

    /// Runs the program and never returns: every path ends with one of the documented statuses.
    public static func launch() async -> Never {
        signal(SIGPIPE, SIG_IGN)
        // Files of an archive are for those whom the directory lets in; secrets ask for 0600.
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            if let lost = Terminal.lost { throw lost }
            end(0)
        } catch let failure as Failure {
            Terminal.say(failure)
            end(failure.code.exitStatus)
        } catch let status as Status {
            end(status.number)
        } catch {
            exit(withError: error)
        }
    }
}

/// Ends the process without the handlers that C libraries have left for its exit: other threads may
/// still be giving back what these would take away under them.
private func end(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
}

/// Ends a command with a status that is not a failure's.
struct Status: Error {
    let number: Int32
}

/// Ends the command with `status`, unless that is 0.
func finish(with status: Int32) throws {
    if status != 0 { throw Status(number: status) }
}
