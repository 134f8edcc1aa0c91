/// Duties of chapter VI of Regulation (EU) 2023/2854 for which a dossier can hold evidence.
///
/// Texts paraphrase; they are not the law's.
enum Duty: String, Sendable, CaseIterable {
    case obstacles, portData, equivalence, unbundling, ownServices, writtenContract, transition
    case continuity, knownRisks, security, support, completion, notice, specification, exemptions
    case retrieval, erasure, charges, choice, infeasible, oneExtension, procedures, goodFaith
    case jurisdiction, openInterfaces, machineReadable, parallelUse

    var article: String {
        switch self {
        case .obstacles: "23"
        case .portData: "23(c)"
        case .equivalence: "23(d), 30(1)"
        case .unbundling: "23(e)"
        case .ownServices: "24"
        case .writtenContract: "25(1)"
        case .transition: "25(2)(a)"
        case .continuity: "25(2)(a)(ii)"
        case .knownRisks: "25(2)(a)(iii)"
        case .security: "25(2)(a)(iv)"
        case .support: "25(2)(b)"
        case .completion: "25(2)(c)"
        case .notice: "25(2)(d)"
        case .specification: "25(2)(e)"
        case .exemptions: "25(2)(f), 30(6)"
        case .retrieval: "25(2)(g)"
        case .erasure: "25(2)(h)"
        case .charges: "25(2)(i), 29"
        case .choice: "25(3)"
        case .infeasible: "25(4)"
        case .oneExtension: "25(5)"
        case .procedures: "26"
        case .goodFaith: "27"
        case .jurisdiction: "28"
        case .openInterfaces: "30(2)"
        case .machineReadable: "30(5)"
        case .parallelUse: "34"
        }
    }
}

extension Texts {
    static let frenchDuties: [Duty: String] = [
        .obstacles: "Ne pas dresser d’obstacle au changement de fournisseur",
        .portData: "Porter les données exportables et les actifs numériques",
        .equivalence: "Équivalence fonctionnelle (IaaS)",
        .unbundling: "Dissociation des services, si possible",
        .ownServices: "Portée : les services du fournisseur sortant",
        .writtenContract: "Contrat écrit, disponible avant signature",
        .transition: "Transition en 30 jours calendaires au plus",
        .continuity: "Continuité du service pendant la sortie",
        .knownRisks: "Information sur les risques connus",
        .security: "Sécurité élevée pendant le transfert",
        .support: "Soutien à la stratégie de sortie, informations utiles",
        .completion: "Fin du contrat à l’achèvement, client notifié",
        .notice: "Préavis de deux mois au plus",
        .specification: "Spécification exhaustive des catégories portables",
        .exemptions: "Liste exhaustive des données exemptées",
        .retrieval: "Récupération possible pendant 30 jours au moins",
        .erasure: "Effacement complet après la récupération",
        .charges: "Frais de changement : aucun à compter du 12 janvier 2027",
        .choice: "Choix du client : changer, rapatrier, effacer",
        .infeasible: "Délai infaisable : justification sous 14 jours ouvrés",
        .oneExtension: "Une prolongation par le client",
        .procedures: "Procédures, formats et structures publiés",
        .goodFaith: "Bonne foi de toutes les parties",
        .jurisdiction: "Juridiction de l’infrastructure",
        .openInterfaces: "Interfaces ouvertes, sans frais",
        .machineReadable: "Format structuré, courant, lisible par machine",
        .parallelUse: "Usage en parallèle : sortie au coût",
    ]

    static let englishDuties: [Duty: String] = [
        .obstacles: "Put no obstacle in the way of switching",
        .portData: "Port exportable data and digital assets",
        .equivalence: "Functional equivalence (IaaS)",
        .unbundling: "Unbundling, where feasible",
        .ownServices: "Scope: the services of the leaving provider",
        .writtenContract: "Written contract, available before signing",
        .transition: "Transition within 30 calendar days",
        .continuity: "Continuity while leaving",
        .knownRisks: "Information on known risks",
        .security: "High security during transfer",
        .support: "Support of the exit strategy, relevant information",
        .completion: "End of the contract on completion, customer notified",
        .notice: "Notice of at most two months",
        .specification: "Exhaustive specification of what can be ported",
        .exemptions: "Exhaustive list of exempt data",
        .retrieval: "Retrieval for at least 30 days",
        .erasure: "Full erasure after retrieval",
        .charges: "Switching charges: none from 12 January 2027",
        .choice: "The customer’s choice: switch, on premises, erase",
        .infeasible: "Term not feasible: justified within 14 working days",
        .oneExtension: "One extension by the customer",
        .procedures: "Published procedures, formats and structures",
        .goodFaith: "Good faith of all parties",
        .jurisdiction: "Jurisdiction of the infrastructure",
        .openInterfaces: "Open interfaces, free of charge",
        .machineReadable: "Structured, commonly used, machine-readable format",
        .parallelUse: "Use in parallel: egress at cost",
    ]
}
