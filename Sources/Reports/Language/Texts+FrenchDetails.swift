extension Texts {
    /// The French texts: sources, records and the rest.
    static let frenchDetails: [Phrase: String] = [
        // Reservations of receipts
        .reservationByCounts: "La cible n’a été comparée que par dénombrement.",
        .reservationNotCompared: "La cible n’a pas été comparée.",
        .reservationNotSet:
            "{0} {0:attribut n’a pas pu être repris/attributs n’ont pas pu être repris} sur la cible.",
        .reservationOmitted:
            "{0} {0:objet avait été omis/objets avaient été omis} de l’archive à l’export.",
        .reservationNotImported:
            "{0} {0:source de l’archive n’a pas été importée/sources de l’archive n’ont pas été importées}.",
        // Data Act
        .dataActTitle: "Règlement (UE) 2023/2854 (Data Act), chapitre VI : article par article",
        .dataActCaption: "Obligations et éléments de preuve de ce dossier",
        .dataActNote:
            "Les obligations sont paraphrasées : seul le texte publié au Journal officiel fait foi. Ce tableau ne qualifie pas les parties et ne vaut pas avis juridique.",
        .columnArticle: "Article",
        .columnDuty: "Obligation (résumé)",
        .columnEvidence: "Élément de preuve",
        .dutyShown: "Établi",
        .dutyPartial: "Partiel",
        .dutyAbsent: "Absent",
        .dutyOutside: "Hors outil",
        .dutyNotDue: "Sans objet",
        // Records
        .recordsTitle: "Procès-verbaux",
        .recordRestitution: "Procès-verbal de restitution",
        .recordRestitutionText:
            "Le fournisseur remet au client l’archive désignée ci-dessous, accompagnée de son catalogue, de son journal et de son sceau.",
        .recordIntegration: "Procès-verbal d’intégration",
        .recordIntegrationText:
            "L’importateur a vérifié l’archive, l’a chargée sur la cible, puis a relu la cible pour la comparer à ce qui avait été exporté.",
        .recordAcceptance: "Procès-verbal de vérification d’aptitude et d’acceptation",
        .recordAcceptanceText:
            "Le client déclare que les données sont intégrées et exploitables, sous les réserves indiquées.",
        .recordErasureRequest: "Demande d’effacement",
        .recordErasureRequestText:
            "Le client, responsable du traitement, demande l’effacement des données détenues par le fournisseur.",
        .recordDestruction: "Procès-verbal de destruction",
        .recordDestructionText:
            "Le titulaire atteste avoir détruit les données du client, copies et sauvegardes comprises, selon la méthode indiquée.",
        .recordRehearsal: "Fiche de restauration",
        .recordRehearsalText:
            "Résultat de l’exercice de restauration, dans des cibles éphémères.",
        .recordMissing: "Document absent du dossier",
        .recordMissingText:
            "Ce document n’est pas (encore) dans le dossier ; ce rapport n’en tient pas lieu.",
        .recordFile: "Pièce signée",
        .recordDate: "Date",
        .recordSigner: "Signataire électronique",
        .recordSignature: "Signature",
        .recordDigest: "SHA-256 de la pièce",
        .recordDuration: "Durée",
        .recordVolume: "Volume",
        .recordOutcome: "Résultat",
        .recordVerify: "Méthode de comparaison",
        .verifyDigest: "empreintes du contenu, relues sur la cible",
        .verifyCounts: "dénombrement seul",
        .verifyNone: "aucune",
        .recordReservations: "Réserves",
        .recordNoReservations: "aucune",
        .recordStatement: "Déclaration signée",
        .recordCountersign: "Visa manuscrit (facultatif) : date, nom, qualité, signature",
        .forProvider: "Pour le fournisseur",
        .forCustomer: "Pour le client",
        .outcomeEqual: "Identique à ce qui a été exporté",
        .outcomeEqualPart:
            "Identique, sauf {0} {0:attribut ou objet non repris/attributs ou objets non repris}",
        .outcomeDifferent: "{0} {0:différence/différences}",
        .outcomeUnequal: "Comparaison négative",
        .signatureBoth: "Ed25519 et ML-DSA-65, valides toutes deux",
        .signatureUnknown: "Ed25519 valide ; clé inconnue des fichiers de confiance",
        .signatureBad: "non valide",
        // Rehearsals
        .rehearsalsTitle: "Exercices de reprise",
        .rehearsalObjective: "Objectif de reprise (RTO)",
        .rehearsalMeasured: "Temps de reprise mesuré",
        .rehearsalPoint: "Point de reprise (RPO)",
        .rehearsalTier: "Niveau",
        .rehearsalMet: "Atteint",
        .rehearsalMissed: "Manqué",
        .rehearsalPhases: "Phases de l’exercice",
        .rehearsalPhase: "Phase",
        .rehearsalTrend: "Évolution au fil des exercices",
        .rehearsalProbes: "Sondes",
        .probeName: "Sonde",
        .probeExpected: "Avant",
        .probeFound: "Après",
        .phaseFetch: "lecture de l’archive",
        .phaseVerify: "vérification",
        .phaseDecode: "déchiffrement et décompression",
        .phaseLoad: "chargement",
        .phaseIndex: "index et contraintes",
        .phaseAnalyse: "statistiques",
        .phaseCompare: "comparaison",
        .phaseBoot: "démarrage",
        .phaseProbe: "sondes",
        .boundBy: "Facteur limitant : {0}",
        // Verify
        .instructionsTitle: "Vérifier sans Exeat",
        .instructionsText:
            "Ces commandes sont celles du fichier VERIFY.txt, pour cette archive. Elles n’emploient que des outils courants et aucun secret. Les exécuter dans l’ordre, dans le dossier de l’archive, avec TRUST = le fichier de confiance du signataire obtenu par un autre canal que l’archive.",
        .instructionsNone: "Le sceau n’a pas pu être lu : il n’y a pas de commandes à proposer.",
        .stepPreparation: "Préparation",
        .step1:
            "Chaque fichier stocké, et chaque fichier d’accompagnement, est tel qu’il a été listé.",
        .step2:
            "Rien n’est présent qui ne soit listé : données, autres fichiers, preuves, liens, périphériques.",
        .step3: "C’est un sac BagIt valide (RFC 8493).",
        .step4: "Le sceau parle bien de cette archive.",
        .step5:
            "Les deux signatures du sceau sont celles du signataire : Ed25519, puis ML-DSA-65.",
        .step6: "Le journal est une chaîne ininterrompue, et le sceau nomme sa fin.",
        // Limits
        .limitsTitle: "Ce qu’aucun outil ne peut prouver",
        .limitsText: "Une limite énoncée vaut mieux qu’une promesse. Ce dossier ne prouve pas :",
        .limitCatalogue:
            "que le catalogue est juridiquement exhaustif : Exeat prouve ce qu’il a trouvé et lu, non ce que le contrat aurait dû couvrir ;",
        .limitErasure:
            "que le fournisseur a réellement effacé toutes ses copies : le reste du procès-verbal de destruction est une déclaration signée ;",
        .limitClock:
            "que les horloges étaient justes, ni, sans jeton d’une autorité, l’heure des événements ;",
        .limitSource:
            "que la source disait vrai : un système compromis, ou des droits qui masquent des lignes, trompent aussi l’export ;",
        .limitKey:
            "que la clé du signataire n’a pas été volée, ni que le fichier de confiance est le bon : comparer les empreintes par un autre canal ;",
        .limitAfter: "ce que la cible est devenue après la comparaison.",
        // Annex
        .annexTitle: "Annexe : clés, empreintes, contrôles",
        .keysCaption: "Clés des signataires",
        .columnRole: "Rôle",
        .columnPrincipal: "Signataire",
        .columnFingerprint: "Empreintes (Ed25519, ML-DSA-65)",
        .columnTrusted: "De confiance",
        .roleExporter: "exportateur (sceau)",
        .roleImporter: "importateur (reçu)",
        .roleController: "responsable du traitement",
        .roleEraser: "auteur de l’effacement",
        .digestsCaption: "Empreintes qui fixent l’archive",
        .digestSeal: "proof/seal.json (SHA-256)",
        .digestTags: "tagmanifest-sha256.txt (SHA-256)",
        .digestHead: "Dernière ligne du journal (SHA-256)",
        .digestRoot: "Racine du journal (RFC 6962)",
        .digestPlan: "Plan d’export (SHA-256)",
        .digestJournalLines: "Lignes du journal",
        .checksCaption: "Contrôles effectués pour ce rapport",
        .columnCheck: "Contrôle",
        .checkPassed: "Réussi",
        .checkFailed: "Échoué",
        .checkAbsent: "Absent",
        .checkUnchecked: "Non jugé",
        .problemsCaption: "Anomalies",
        .columnPath: "Emplacement",
        .columnCode: "Code",
        .columnWhat: "Constat",
        .problemsMore: "{0} {0:anomalie/anomalies} en tout ; les {1} premières sont montrées.",
        .footerText:
            "Établi par Exeat {0} à partir des seuls éléments de l’archive. Ce fichier se suffit à lui-même : il ne charge rien et n’exécute rien.",
        // Evidence of duties
        .evidenceCoverage:
            "{0} {0:objet exporté/objets exportés} sur {1} {1:attendu/attendus} ; {2} {2:omission/omissions}, dont {3} non {3:prévue/prévues} au plan.",
        .evidenceSeparate:
            "{0} {0:source/sources} et {1} {1:artefact/artefacts}, chacun exporté, importé et prouvé séparément.",
        .evidenceScope: "{0} {0:objet exclu/objets exclus} par le plan, avec leur raison.",
        .evidenceNoScope: "Le plan n’exclut rien des sources nommées.",
        .evidenceContract: "Référence du contrat au plan : {0}.",
        .evidenceContractSealed: "La référence du contrat est dans le manifeste chiffré.",
        .evidenceNoContract: "Le plan ne nomme pas le contrat.",
        .evidenceFormats: "Formats ouverts, décrits dans la norme de l’archive : {0}.",
        .evidenceReadBack: "Relues sur la cible et identiques : {0} {0:source/sources} sur {1}.",
        .evidenceRetaken:
            "Empreintes du contenu recalculées lors de cette vérification : {0} {0:source/sources}.",
        .evidenceNotReadBack: "Aucun import comparé dans ce dossier.",
        .evidenceEncrypted: "Segments chiffrés (age), fichiers scellés, deux signatures.",
        .evidenceClear: "Fichiers scellés par deux signatures ; l’archive n’est pas chiffrée.",
        .evidenceMoments:
            "Chaque source a été lue dans un instant cohérent, sans arrêt de service : {0} {0:source/sources}.",
        .evidenceMomentsSealed: "Les instants cohérents sont dans le manifeste chiffré.",
        .evidenceReservations:
            "{0} {0:réserve ou omission est énoncée/réserves et omissions sont énoncées} dans les documents signés.",
        .evidenceParties: "Relève des parties : l’archive ne porte rien à ce sujet.",
        .evidenceAccepted: "Acceptation signée le {0}.",
        .evidenceNotAccepted: "Pas d’acceptation dans le dossier.",
        .evidenceErased: "Procès-verbal de destruction signé le {0}.",
        .evidenceNotErased: "Pas de procès-verbal de destruction dans le dossier.",
        .evidenceCatalogue:
            "Catalogue scellé : {0} {0:artefact/artefacts} par catégorie, comparé à l’inventaire et à l’export.",
        .evidenceExempt: "{0} {0:artefact classé exempté/artefacts classés exemptés}, {1}.",
        .evidenceNoExempt: "Aucun artefact n’est classé exempté.",
        .evidenceCharges: "Base de coût mesurée : {0} sortis en {1}.",
        .evidenceThroughput: "Débit mesuré : {0}, base d’une justification.",
        .evidenceProbes:
            "{0} {0:sonde posée/sondes posées} avant et après, {1} {1:réponse égale/réponses égales}.",
        .evidenceNoProbes: "Aucune sonde dans ce dossier.",
        .evidenceDateKept: "{0} : respecté.",
        .evidenceDateMissed: "{0} : dépassé.",
        .evidenceDateOpen: "{0} : en cours, échéance le {1}.",
        .evidenceNoDate: "Le plan n’indique pas les dates nécessaires.",
        .evidenceReceipts:
            "{0} {0:reçu d’import signé/reçus d’import signés}, réserves énoncées.",
        .evidenceNoReceipts: "Aucun reçu d’import dans le dossier.",
        .evidenceNotParallel: "L’archive n’a pas été faite pour un usage en parallèle.",
        // Contents
        .verdictTitle: "Synthèse",
        .navDataAct: "Data Act, par article",
        .navSources: "Sources et comparaisons",
        .navLimits: "Limites de la preuve",
        .navAnnex: "Annexe",
        .navOmissions: "Omissions et actions",
        .reasonsMore: "et {0} {0:autre/autres}",
        // Units of the scale
        .legendWhole: "données",
        .legendStored: "stocké après compression et chiffrement",
        .legendEvent: "a eu lieu",
        .legendLimit: "échéance",
        .legendToday: "date du rapport",
        .legendActive: "activité (plus foncé : plus de données)",
        .legendPause: "interruption",
        .notBefore: "pas avant le {0}",
        .notAfter: "au plus tard le {0}",
        .metState: "Respecté",
        .replacedState: "Sans objet",
        .eventState: "A eu lieu",
        .checkCount: "Contrôles",
        // Deadlines
        .deadlinesCaption: "Dates fixées par la loi ou le contrat",
        .conflictText:
            "{0} n’autorise rien avant le {1}, {2} l’exige au plus tard le {3} : les parties doivent convenir d’une date.",
    ]
}
