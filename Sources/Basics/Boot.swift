/// The time since the machine was started, as an identity: what was written to files without being synced
/// is there for certain only as long as it stays the same.
public enum Boot {
    /// Another one each time the machine starts; empty where the system does not tell.
    ///
    /// Source: random(4), /proc/sys/kernel/random/boot_id.
    public static var identity: String {
        let text = (try? Files.readText("/proc/sys/kernel/random/boot_id")) ?? ""
        return String(text.prefix { $0 != "\n" })
    }
}
