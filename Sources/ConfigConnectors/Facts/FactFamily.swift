import Basics

/// What is told of a machine beside its files; the words of a plan's `facts`.
enum FactFamily: String, Sendable, CaseIterable {
    case packages
    case units
    case accounts
    case crontabs
    case mounts
    case network
    case kernel
    case sysctl
    case certificates
    case sockets
    case guests
    case repositories

    /// Reads the family as far as it can be read; what cannot be is said in the document.
    func read(_ machine: Machine) throws(Failure) -> FactDocument {
        var document = FactDocument(self)
        switch self {
        case .packages: try PackageFacts.read(machine, &document)
        case .units: try UnitFacts.read(machine, &document)
        case .accounts: try AccountFacts.read(machine, &document)
        case .crontabs: try CrontabFacts.read(machine, &document)
        case .mounts: try MountFacts.read(machine, &document)
        case .network: try NetworkFacts.read(machine, &document)
        case .kernel: try KernelFacts.read(machine, &document)
        case .sysctl: try SysctlFacts.read(machine, &document)
        case .certificates: try CertificateFacts.read(machine, &document)
        case .sockets: try SocketFacts.read(machine, &document)
        case .guests: try GuestFacts.read(machine, &document)
        case .repositories: try RepositoryFacts.read(machine, &document)
        }
        return document
    }
}
