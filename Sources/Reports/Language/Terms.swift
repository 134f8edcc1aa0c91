extension Texts {
    /// A word of the evidence for people: a kind, a reason, a count, a check. Unknown words stay as they
    /// are, since connectors bring their own.
    func term(_ word: String) -> String {
        if let name = Self.properNames[word] { return name }
        switch language {
        case .french: return Self.frenchTerms[word].map(Self.typeset) ?? word
        case .english: return Self.englishTerms[word] ?? word.replacing("-", with: " ")
        }
    }

    /// Whether there is a text of its own for a word of the evidence.
    func names(_ word: String) -> Bool {
        Self.properNames[word] != nil
            || (language == .french ? Self.frenchTerms : Self.englishTerms)[word] != nil
    }

    /// Whether a word of the evidence is one of this language.
    func knows(_ word: String) -> Bool {
        language == .english || Self.properNames[word] != nil || Self.frenchTerms[word] != nil
    }

    /// A word that a number follows: what is a title elsewhere is a common noun here.
    func count(_ word: String) -> String {
        switch (language, word) {
        case (.french, "files"): "fichiers"
        case (.french, "logs"): "journaux"
        case (.english, "files"), (.english, "logs"): word
        default: term(word)
        }
    }

    private static let properNames: [String: String] = [
        "postgresql": "PostgreSQL", "mariadb": "MariaDB", "proxmox": "Proxmox VE",
    ]

    static let englishTerms: [String: String] = [
        "files": "Files", "logs": "Logs", "configs": "Configurations", "disks": "Disk images",
        "tree-content": "tree: content", "tree-metadata": "tree: metadata",
        "rows-sha256-sum": "sum of row digests", "directory": "directories", "file": "files",
        "symlink": "symbolic links", "hardlink": "hard links", "socket": "sockets", "fifo": "pipes",
        "block": "block devices", "character": "character devices",
        "file-system-time": "time of the file system", "lsn": "LSN (write-ahead log)",
        "gtid": "GTID", "binlog": "binary log", "time": "time", "backup": "backup",
        "postgresql-table": "table", "mariadb-table": "table", "file-tree": "file tree",
        "file-index": "index of the tree",
        "decrypt-and-decompress": "decrypt, decompress", "source-read": "reading the archive",
        "cpu": "processor", "limit": "limits of the plan",
        "passed-with-reservations": "passed, with reservations",
        "receipt-missing": "no receipt of an import was accepted",
        "receipt-unequal": "the receipt that was accepted tells of differences",
        "acceptance-missing": "the acceptance is missing",
        "erasure-request-missing": "the request for the erasure is missing",
        "too-early": "the earliest legal date has not passed",
        "date-unknown": "a date that is needed is missing in the plan",
        "untrusted": "a document is wrong, or its signer unknown",
        "overwrite": "overwriting", "key-destruction": "destruction of keys",
        "receiptReservations": "reservations of the receipt", "keys": "keys destroyed",
        "startedAt": "began", "completedAt": "ended", "formalNotice": "formal notice",
        "notBefore": "not before", "overridden": "overridden", "overrides": "overrides",
        "reasons": "what stood against it",
    ]

    static let frenchTerms: [String: String] = [
        // Kinds of sources and artifacts
        "files": "Fichiers", "logs": "Journaux", "configs": "Configurations",
        "disks": "Images de disques", "file-tree": "arborescence", "file-index": "index",
        "postgresql-table": "table", "postgresql-roles": "rôles",
        "postgresql-database": "base", "postgresql-pre-data": "définitions (avant données)",
        "postgresql-post-data": "définitions (après données)", "postgresql-contents": "contenu",
        "postgresql-sequences": "séquences", "postgresql-large-objects": "grands objets",
        "postgresql-role-passwords": "mots de passe scellés", "mariadb-table": "table",
        "mariadb-databases": "bases", "mariadb-accounts": "comptes",
        "mariadb-tables": "définitions",
        "mariadb-contents": "contenu", "mariadb-states": "séquences",
        "mariadb-routines": "routines", "mariadb-views": "vues", "mariadb-triggers": "déclencheurs",
        "mariadb-events": "événements", "mariadb-rights": "droits",
        "mariadb-account-secrets": "secrets scellés", "disk": "disque", "guest": "invité",
        "container": "conteneur", "cluster-configuration": "configuration de la grappe",
        "cluster-files": "fichiers de la grappe", "guest-configuration": "configuration",
        "facts": "relevés de la machine", "secret-list": "liste des secrets",
        "guest-firewall": "pare-feu", "guest-libvirt": "description libvirt",
        "guest-ovf": "description OVF",
        "facts-accounts": "comptes de la machine", "facts-certificates": "certificats",
        "facts-crontabs": "tâches planifiées", "facts-guests": "invités de la machine",
        "facts-kernel": "noyau", "facts-mounts": "montages", "facts-network": "réseau",
        "facts-packages": "paquets", "facts-repositories": "dépôts de paquets",
        "facts-sockets": "ports ouverts", "facts-sysctl": "réglages du noyau",
        "facts-units": "unités systemd",
        "journal-file": "fichier de journal", "journal-stream": "flux du journal",
        "log-text": "journaux texte", "log-text-index": "index des journaux texte",
        "log-text-streams": "flux des journaux texte",
        // Reasons of omissions
        "excluded": "exclu par le plan", "sockets": "sockets", "mount-points": "points de montage",
        "devices": "périphériques", "vanished": "disparu pendant l’export",
        "unreadable": "illisible", "changed": "modifié pendant la lecture", "secrets": "secrets",
        "foreign-tables": "tables distantes", "replication-slots": "emplacements de réplication",
        "subscriptions": "abonnements", "prepared-transactions": "transactions préparées",
        "unlogged-tables": "tables non journalisées", "accounts": "comptes",
        "hidden-objects": "objets masqués", "non-transactional": "tables non transactionnelles",
        "transaction-history": "historique par transaction",
        "changing-columns": "colonnes recalculées",
        "not-backed-up": "disques exclus de la sauvegarde",
        "bind-mounts": "montages liés", "unused-disks": "disques inutilisés",
        "passthrough": "périphériques dédiés", "media": "supports",
        "snapshots": "instantanés", "pending-changes": "modifications en attente",
        "states": "états suspendus", "hook-scripts": "scripts d’accroche", "withheld": "non exposé",
        "denied": "droits insuffisants", "unavailable": "non disponible sur le serveur",
        "added": "apparu depuis l’inventaire", "left-behind": "sauvegarde temporaire restante",
        "unanswered": "sans réponse du serveur",
        "backup-warnings": "avertissement de la sauvegarde",
        "unsearched": "trop grand pour être examiné",
        "entries-missing": "entrées de journal manquantes",
        "entries-unreadable": "entrées de journal illisibles",
        "fields-unreadable": "entrées sans champs illisibles",
        "fields-damaged": "entrées aux champs endommagés",
        "files-unreadable": "fichiers de journal illisibles",
        "files-damaged": "fichiers de journal endommagés, entrées retrouvées",
        "shortened": "raccourci pendant l’export", "special-files": "fichiers spéciaux",
        "seal-broken": "scellement du journal invalide",
        // Counts and comparisons
        "directory": "répertoires", "file": "fichiers", "symlink": "liens symboliques",
        "hardlink": "liens physiques", "socket": "sockets", "fifo": "tubes",
        "block": "périphériques bloc", "character": "périphériques caractère",
        "tables": "tables", "sequences": "séquences",
        "large-object-batches": "lots de grands objets",
        "rows": "lignes", "entries": "entrées", "objects": "objets", "views": "vues",
        "databases": "bases", "guests": "invités", "machines": "machines",
        "containers": "conteneurs",
        "documents": "documents", "programs": "programmes", "directories": "répertoires",
        "tree-content": "arborescence : contenu", "tree-metadata": "arborescence : métadonnées",
        "rows-sha256-sum": "somme des empreintes de lignes", "memberships": "appartenances",
        "large-objects": "grands objets", "sequences and counters": "séquences et compteurs",
        "row count": "nombre de lignes", "bytes": "octets", "data": "octets de données",
        "longest-row": "plus longue ligne",
        "items": "éléments", "places": "emplacements", "columns": "colonnes",
        "journal-entries": "entrées du journal", "journal-files": "fichiers du journal",
        "journal-streams": "flux du journal", "log-entries": "entrées de journaux texte",
        "log-lines": "lignes de journaux texte", "log-undated": "lignes sans date",
        "files-without-times": "fichiers sans heure",
        "text log files": "fichiers de journaux texte",
        "text logs": "journaux texte", "text-content": "journaux texte : contenu",
        "text-files": "journaux texte : fichiers", "text-metadata": "journaux texte : métadonnées",
        "journal-sha256-chain": "chaîne SHA-256 du journal",
        "log-chain": "chaîne des journaux texte", "images": "images de disques restaurées",
        "firstMicroseconds": "première entrée (µs)", "lastMicroseconds": "dernière entrée (µs)",
        "text": "texte", "log": "journal", "stream": "flux", "disk-count": "disques",
        "sha256-tree-1m": "empreinte d’arbre (1 Mio)",
        "domains with all their disks": "domaines avec tous leurs disques",
        "images of disks": "images de disques", "settings": "réglages",
        "mapped settings": "réglages, après correspondance",
        "sha256 of all files": "SHA-256 de tous les fichiers",
        "import": "import", "total": "total", "secrets-to-enter": "secrets à ressaisir",
        "facts-same": "relevés identiques", "facts-differing": "relevés différents",
        "facts-not-compared": "relevés non comparés",
        "facts-only-here": "relevés de l’archive seule",
        "facts-only-there": "relevés de la machine seule",
        "files-same": "fichiers identiques", "files-differing": "fichiers différents",
        "files-not-compared": "fichiers non comparés",
        "files-only-here": "fichiers de l’archive seule",
        "files-only-there": "fichiers de la machine seule",
        // Moments
        "inventory-time": "heure de l’inventaire",
        "file-system-time": "heure du système de fichiers", "lsn": "LSN (journal de transactions)",
        "gtid": "GTID", "binlog": "journal binaire", "time": "heure", "backup": "sauvegarde",
        // Facts of sources
        "paths": "chemins", "server": "serveur", "database": "base", "encoding": "encodage",
        "tool": "outil", "family": "famille", "lock": "verrouillage", "origin": "origine",
        "version": "version", "references": "références des secrets", "root": "racine",
        // Rehearsals
        "prepare": "préparation", "fetch": "lecture de l’archive", "verify": "vérification",
        "decrypt-and-decompress": "déchiffrement, décompression", "load": "chargement",
        "index": "index et contraintes", "analyse": "statistiques", "compare": "comparaison",
        "boot": "démarrage", "probe": "sondes", "source-read": "lecture de l’archive",
        "cpu": "processeur", "target": "cible", "limit": "limites du plan",
        "passed": "réussi", "passed-with-reservations": "réussi, avec réserves",
        "failed": "échec", "objective-missed": "objectif manqué", "incomplete": "incomplet",
        "different": "différent", "damaged": "archive endommagée", "unfinished": "inachevé",
        "left": "non traité", "machine": "machine", "up": "démarrée", "started": "lancée",
        "not-started": "non lancée", "http": "HTTP", "sql": "SQL", "tcp": "TCP",
        "serial": "console série", "agent": "agent invité", "command": "commande",
        // Dates, and the lock of the erasure
        "notice-received": "préavis reçu", "notice-end": "fin du préavis",
        "infeasibility-notified": "impossibilité notifiée",
        "transition-start": "début de la transition", "transition-end": "fin de la transition",
        "alternative-end": "fin de la transition prolongée",
        "extension-end": "fin de la prolongation du client", "trial-copy": "copie d’essai",
        "retrieval-end": "fin de la récupération", "contract-end": "fin du contrat",
        "formal-notice": "préavis formel d’effacement",
        "receipt-missing": "aucun reçu d’import accepté",
        "receipt-unequal": "le reçu accepté constate des différences",
        "acceptance-missing": "l’acceptation manque",
        "erasure-request-missing": "la demande d’effacement manque",
        "too-early": "la première date légale n’est pas passée",
        "date-unknown": "une date nécessaire manque au plan",
        "untrusted": "un document est incorrect ou son signataire inconnu",
        "undeclared": "trouvé, non déclaré", "not-found": "déclaré, non trouvé",
        "left-out": "déclaré, non exporté",
        "unlisted": "omissions non énumérées, que rien n’a comparées",
        "exempt-exported": "exempté, mais exporté",
        "trade-secret": "secret des affaires", "internal": "données internes",
        "category": "autre catégorie", "count": "autre nombre",
        // Members of later documents
        "receipt": "reçu", "integrated": "intégré", "usable": "exploitable",
        "reservations": "réserves", "receiptReservations": "réserves du reçu",
        "methods": "méthodes",
        "keys": "clés détruites", "startedAt": "début", "completedAt": "fin",
        "formalNotice": "préavis formel", "scope": "étendue", "name": "nom", "reason": "motif",
        "overridden": "levé par dérogation", "open": "ouvert", "notBefore": "pas avant",
        "reasons": "ce qui s’y opposait", "overrides": "dérogations",
        "sha256": "SHA-256", "kind": "nature", "what": "détail",
        "overwrite": "écrasement", "key-destruction": "destruction des clés",
        "physical-destruction": "destruction physique", "secure-recycling": "recyclage sécurisé",
        // Checks
        "structure": "structure", "declaration": "déclaration BagIt", "signatures": "signatures",
        "seal": "sceau", "payload as sealed": "données telles que scellées",
        "payload as committed": "données telles que validées au journal",
        "payload in the order of the journal": "données dans l’ordre du journal",
        "payload digests": "empreintes des données", "payload SHA-512": "empreintes SHA-512",
        "journal": "journal", "journal and seal": "journal et sceau",
        "courtesy keys": "copies des clés", "opening time stamp": "horodatage d’ouverture",
        "closing time stamp": "horodatage de clôture",
        "date of expiry": "date limite de restauration", "payload": "données",
        "the payload is not here": "les données ne sont pas là",
        "the payload was not read": "les données n’ont pas été lues",
        "there is no manifest to compare with": "aucun manifeste auquel comparer",
        "no authority to check it with was given": "aucune autorité fournie",
        "no trust for its kind was given": "aucune confiance fournie",
    ]
}
