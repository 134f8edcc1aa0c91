/// Operating systems as OVF names them.
enum OVFSystem {
    /// Numbers of CIM_OperatingSystem.OSType, and VMware's names.
    static func of(_ type: String) -> (number: Int, name: String) {
        switch type {
        case "l24", "l26": (101, "otherLinux64Guest")
        case "wxp": (67, "winXPProGuest")
        case "w2k", "w2k3": (69, "winNetStandardGuest")
        case "w2k8", "wvista": (77, "winLonghorn64Guest")
        case "win7": (103, "windows7Server64Guest")
        case "win8": (113, "windows8Server64Guest")
        case "win10", "win11": (121, "windows9_64Guest")
        case "solaris": (29, "solaris10_64Guest")
        default: (1, "otherGuest64")
        }
    }
}
