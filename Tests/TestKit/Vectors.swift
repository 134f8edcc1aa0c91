import Basics
import Glibc

/// The conformance data beside the checkout; tests that need it are skipped, by name, without it.
public enum Vectors {
    public static let root: String? = {
        var directory = #filePath
        for _ in 0..<3 { directory = Files.parent(of: directory) }
        let candidate =
            unsafe getenv("EXEAT_VECTORS").map { unsafe String(cString: $0) }
            ?? Files.parent(of: directory) + "/shared/vectors"
        return Files.kind(candidate) == S_IFDIR ? candidate : nil
    }()

    /// The folder of that name, or nil (with a line that says so) where it is not there.
    public static func folder(_ name: String) -> String? {
        if let root, Files.exists(root + "/" + name) { return root + "/" + name }
        print("SKIPPED: conformance data \"\(name)\" is not there")
        return nil
    }
}
