import Bags
public import Basics
public import Plans
public import Primitives
public import Signatures

/// `plan.json`: what the parties have agreed before anything leaves, signed by the customer. The seal
/// names it, so the exporter agrees too.
public enum AgreedPlan {
    /// What a plan declares, by the contract's own words and without patterns, which may name tables;
    /// null where it declares nothing.
    public static func inventory(of plan: ExportPlan) -> JSON {
        guard !plan.run.declared.isEmpty || plan.sources.contains(where: { !$0.declared.isEmpty })
        else { return .null }
        let sources = plan.sources.map { source -> JSON in
            [
                "name": .string(source.name), "kind": .string(source.kind),
                "declared": .array(source.declared.map(entry)),
            ]
        }
        guard !plan.run.declared.isEmpty else { return ["sources": .array(sources)] }
        return ["declared": .array(plan.run.declared.map(entry)), "sources": .array(sources)]
    }

    private static func entry(_ system: SystemPlan) -> JSON {
        var members: [JSON.Member] = [
            .init("category", .string(system.category)),
            .init("sources", .array(system.sources.map { .string($0) })),
        ]
        if let exemption = system.exemption {
            members.append(.init("ground", .string(exemption.ground)))
            members.append(.init("clause", .string(exemption.clause)))
        }
        return .object(members)
    }

    private static func entry(_ declaration: DeclarationPlan) -> JSON {
        var members: [JSON.Member] = [.init("category", .string(declaration.category))]
        if let legal = declaration.legal { members.append(.init("legal", .string(legal))) }
        if let count = declaration.count { members.append(.init("count", .integer(count))) }
        if let exemption = declaration.exemption {
            members.append(.init("legal", "exempt"))
            members.append(.init("ground", .string(exemption.ground)))
            members.append(.init("clause", .string(exemption.clause)))
        }
        return .object(members)
    }

    /// - Parameters:
    ///   - plan: the digest of the plan of the export.
    ///   - facts: contract, parties, dates and legal profiles, as the catalogue will repeat them.
    ///   - inventory: what must leave, by source, and what is exempt; null where the plan declares
    ///     nothing.
    public static func sign(
        plan: Digest256, facts: JSON, inventory: JSON, signer: SigningKey, world: World,
        tool: String
    ) throws(Failure) -> Attestation.Made {
        let bytes = Statement.bytes(
            .plan, about: .init(name: "plan", sha256: plan),
            [
                .init("createdAt", .string(world.now().text)),
                .init("contract", facts.members == nil ? [:] : facts),
                .init("inventory", inventory),
                .init("signer", Statement.json(VerifiedSigner(signer.publicPair))),
                .init("tool", ["name": "exeat", "version": .string(tool)]),
            ])
        return Attestation.Made(
            document: .plan, bytes: bytes, signatures: try signer.sign(bytes, as: .plan))
    }

    /// Reads a signed plan that an export is to carry: it must be about this very plan, and its
    /// Ed25519 signature must hold by the key that it names. Whether to trust that key is for those
    /// to say who verify the archive.
    public static func read(
        _ path: String, plan: Digest256
    ) throws(Failure) -> [(name: String, bytes: [UInt8])] {
        var files: [(name: String, bytes: [UInt8])] = []
        for suffix in ["", ".sig", ".mldsa65"] {
            guard Files.exists(path + suffix) else {
                throw Failure(
                    suffix.isEmpty ? .documentMissing : .signatureMissing,
                    "the signed plan \"\(path)\(suffix)\" is not there",
                    hint: "Make it with exeat attest plan.")
            }
            files.append(("plan.json" + suffix, try Files.read(path + suffix, limit: 1 << 24)))
        }
        let fingerprint = try TrustedKeys.verifyUnknown(
            files[0].bytes, sshsig: files[1].bytes, as: .plan)
        let named = try JSON(parsing: files[0].bytes)["predicate"]?["signer"] ?? .null
        let document = try Statement.parse(
            .plan, files[0].bytes,
            signer: VerifiedSigner(
                principal: named["principal"]?.string ?? "", ed25519: fingerprint,
                mldsa65: named["mldsa65"]?.string ?? ""),
            roles: [], place: path)
        guard document.before == .init(name: "plan", sha256: plan) else {
            throw Failure(
                .documentForeign, "the signed plan \"\(path)\" is about another plan",
                hint: "Have the plan that you run signed with exeat attest plan.")
        }
        return files
    }
}
