public import Basics
import Glibc
import Plans

/// Nothing is written into an archive but later documents: with one more file in it, it is no longer what
/// was sealed. Commands that read one keep what they write out of it, from before the first byte.
public enum ArchiveBounds {
    /// Whether what has this path, or will have it, lies in the archive. A tar holds no path.
    public static func hold(_ path: String, archive: String) -> Bool {
        let folder = Files.absolute(archive)
        guard archive != "-", Files.kind(folder) == S_IFDIR else { return false }
        var place = path
        // What is not there yet lies where it will be made.
        while unsafe access(place, F_OK) != 0, place != ".", place != "/" {
            place = Files.parent(of: place)
        }
        let resolved = Files.absolute(place)
        return resolved == folder || resolved.hasPrefix(folder + "/")
    }

    /// Throws where what will be made at `path` would lie in an archive that is sealed, or being made.
    ///
    /// - Parameter hint: how to name another place.
    public static func checkNoArchive(around path: String, hint: String) throws(Failure) {
        var place = Files.parent(of: path)
        while unsafe access(place, F_OK) != 0, place != ".", place != "/" {
            place = Files.parent(of: place)
        }
        var folder = Files.absolute(place)
        while true {
            let isArchive =
                Files.kind(folder + "/bagit.txt") == S_IFREG
                && Files.kind(folder + "/proof/seal.json") == S_IFREG
                || Files.kind(folder + "/.exeat-run/lock") == S_IFREG
            guard !isArchive else {
                throw Failure(
                    .usage,
                    "\"\(path)\" lies in the archive \"\(folder)\", which must stay as it is",
                    hint: hint)
            }
            guard folder != "/" else { return }
            folder = Files.parent(of: folder)
        }
    }

    /// - Parameter hint: how to name another place.
    public static func check(
        _ path: String, outside archive: String, hint: String
    ) throws(Failure) {
        guard hold(path, archive: archive) else { return }
        throw Failure(
            .usage, "\"\(path)\" lies in the archive, which must stay as it was sealed",
            hint: hint)
    }

    /// Targets that are directories: connectors call them `path` or `directory`.
    static func check(_ targets: [TargetPlan], outside archive: String) throws(Failure) {
        let shape = PlanShape(optional: ["path", "directory"])
        for target in targets {
            let settings = target.settings.mapping(shape, PlanProblems())
            for key in ["path", "directory"] {
                guard let path = settings?.path(key), hold(path, archive: archive) else { continue }
                throw Failure(
                    .planInvalidValue,
                    "the target of \"\(target.name)\", \"\(path)\", lies in the archive, which must "
                        + "stay as it was sealed",
                    hint: "Name another \"\(key)\" in the plan.")
            }
        }
    }
}
