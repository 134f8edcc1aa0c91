public import Bags
public import Basics
public import Manifests

/// Expected against exported against omitted, as the documents of an archive tell it: they were all
/// written by one run, and must agree.
public struct Coverage<Contents: SealedContents> {
    private let bag: Contents
    private let catalogue: JSON
    private let counts: [OmissionSummary.Count]

    /// Reads the catalogue. Throws `.coverageMismatch` for a version that this release does not know.
    public init(_ bag: Contents) throws(Failure) {
        self.bag = bag
        catalogue = try Catalogue.read(from: bag)
        counts = Catalogue.omissions(of: catalogue)
    }

    /// The catalogue against the seal, without any secret key.
    public func check() throws(Failure) {
        let outcome = bag.seal.outcome
        guard catalogue["bag"]?.string == "urn:uuid:" + bag.seal.bag,
            catalogue["expected"]?.integer == outcome.expected,
            catalogue["exported"]?.integer == outcome.exported,
            catalogue["omitted"]?.integer == outcome.omitted
        else { throw mismatch("the catalogue and the seal") }
        try checkSum(of: "expected", outcome.expected)
        try checkSum(of: "exported", outcome.exported)
        // What the contract's list does not explain leaves a run open, as omissions do.
        let unexplained = ([catalogue] + (catalogue["sources"]?.array ?? [])).contains {
            $0["coverage"]?["unexplained"]?.integer ?? 0 > 0
        }
        let isOpen = unexplained || counts.contains { !$0.accepted && $0.count > 0 }
        guard counts.reduce(0, { $0 &+ $1.count }) == outcome.omitted,
            isOpen == (outcome.status == 2)
        else { throw mismatch("the omissions of the catalogue and the seal's outcome") }
    }

    /// What the catalogue says of each source against the whole. It may say nothing of all of them.
    private func checkSum(of name: String, _ whole: Int64) throws(Failure) {
        let parts = (catalogue["sources"]?.array ?? []).map { $0[name] }
        if parts.allSatisfy({ $0 == nil }) { return }
        let numbers = parts.compactMap { $0?.integer }
        guard numbers.count == parts.count, numbers.allSatisfy({ $0 >= 0 }),
            numbers.reduce(0, &+) == whole
        else { throw mismatch("the sources of the catalogue and the seal's outcome") }
    }

    /// The manifest against the catalogue.
    public func check(_ manifest: Manifest) throws(Failure) {
        let listed = catalogue["sources"]?.array ?? []
        guard listed.count == manifest.sources.count,
            manifest.sources.flatMap(\.omissions.counts) == counts
        else { throw mismatch("the manifest and the catalogue") }
    }

    private func mismatch(_ what: String) -> Failure {
        Failure(
            .coverageMismatch, "\(what) do not agree about what is in the archive",
            hint: "The archive was not written by one run of exeat; get a fresh copy.")
    }
}
