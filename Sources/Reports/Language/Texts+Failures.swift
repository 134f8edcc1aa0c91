/// What the codes of failures mean, in French: a message about one object is English alone.
extension Texts {
    /// nil where the message itself is in the language of the report, or nobody has translated the code.
    func meaning(ofFailure word: String) -> String? {
        language == .french ? Self.frenchFailures[word].map(Self.typeset) : nil
    }

    static let frenchFailures: [String: String] = [
        "age-header": "L’en-tête d’un fichier chiffré n’est pas celui d’age.",
        "age-header-mac": "L’en-tête d’un fichier chiffré a été modifié après coup.",
        "age-payload": "Le contenu d’un fichier chiffré a été modifié, coupé ou allongé.",
        "age-armor": "La forme textuelle d’un fichier chiffré est incorrecte.",
        "zstd-corrupt": "Des données compressées sont endommagées.",
        "plaintext-too-long":
            "Un segment décompressé compte plus d’octets que le manifeste ne le dit.",
        "plaintext-too-short":
            "Un segment décompressé compte moins d’octets que le manifeste ne le dit.",
        "truncated": "Un flux s’arrête trop tôt.",
        "trailing-bytes": "Des octets suivent la fin d’un flux.",
        "digest-mismatch": "Un contenu n’a pas l’empreinte annoncée.",
        "gzip-corrupt": "Des octets qui devraient être du gzip sont endommagés ou autre chose.",
        "signature-invalid": "Une signature ne correspond pas à ce qu’elle signe.",
        "signature-missing": "L’une des deux signatures manque.",
        "signature-malformed": "Un fichier de signature n’a pas sa forme canonique.",
        "signer-unknown": "Aucun fichier de confiance ne nomme la clé qui a signé.",
        "signer-role": "La clé qui a signé n’est pas admise pour ce rôle.",
        "signer-out-of-date": "La signature est hors de la période de confiance de la clé.",
        "signer-pair-mismatch":
            "Les deux signatures viennent de clés qui ne forment pas une paire de confiance.",
        "journal-malformed": "Une ligne du journal n’est pas de celles d’un journal.",
        "journal-broken":
            "La chaîne du journal est rompue : une ligne a été modifiée, retirée ou déplacée.",
        "journal-mismatch": "Le journal n’est pas celui que nomme le sceau ou l’archive.",
        "json-malformed": "Un document JSON de l’archive est incorrect.",
        "bag-not-found": "Il n’y a pas d’archive à cet endroit.",
        "bag-declaration": "bagit.txt manque, est incorrect ou d’une autre version.",
        "bag-info-malformed": "bag-info.txt est incorrect.",
        "bag-info-mismatch":
            "bag-info.txt annonce une autre taille ou un autre nom que ceux de l’archive.",
        "bag-manifest-missing": "Le manifeste des données manque.",
        "bag-manifest-malformed": "Une ligne d’un manifeste des données est incorrecte.",
        "bag-manifest-duplicate": "Un manifeste énumère un fichier deux fois.",
        "bag-manifest-unsupported": "L’archive porte un manifeste d’un algorithme hors profil.",
        "bag-tag-manifest-missing": "Le manifeste des fichiers de service manque.",
        "bag-tag-manifest-malformed":
            "Une ligne d’un manifeste des fichiers de service est incorrecte.",
        "bag-path-unsafe":
            "Un chemin sort de l’archive ou porte des caractères hors de son alphabet.",
        "bag-path-too-long": "Un chemin dépasse 100 octets.",
        "bag-file-missing": "Un fichier que l’archive énumère n’est pas là.",
        "bag-file-unexpected": "Un fichier est là que l’archive n’énumère pas.",
        "bag-file-changed": "Un fichier n’a pas l’empreinte que l’archive lui donne.",
        "bag-file-kind":
            "Un lien, un périphérique ou autre chose qu’un fichier ordinaire est dans l’archive.",
        "bag-directory-empty": "Un dossier vide est dans l’archive.",
        "bag-fetch-forbidden": "L’archive renvoie à des fichiers situés ailleurs (fetch.txt).",
        "bag-encoding":
            "Un fichier de service n’est pas en UTF-8, ou porte une marque ou des fins de ligne étrangères.",
        "bag-name-twins": "Deux noms ne diffèrent que par la casse ou la forme Unicode.",
        "bag-unsealed": "L’archive n’a pas de sceau.",
        "bag-proof-unexpected": "Un fichier de proof/ n’y a pas sa place.",
        "bag-unfinished": "L’export de l’archive n’est pas terminé.",
        "tar-header": "Un en-tête du fichier tar n’a pas sa forme canonique.",
        "tar-padding": "Le remplissage du fichier tar n’est pas nul.",
        "tar-duplicate": "Le fichier tar porte un nom deux fois.",
        "tar-trailing": "Des octets suivent la fin du fichier tar.",
        "tar-truncated": "Le fichier tar s’arrête trop tôt.",
        "tar-order": "Les fichiers du tar ne sont pas dans leur ordre.",
        "seal-malformed": "seal.json est incorrect.",
        "seal-subject-mismatch": "Le sceau est celui d’une autre archive.",
        "seal-replayed":
            "Une archive plus ancienne de la série est présentée alors qu’une plus récente a été vue.",
        "seal-forked":
            "Deux archives prétendent à la même place d’une série, ou l’une ne suit pas celle qui a été vue avant elle.",
        "seal-expired": "L’archive devait être restaurée avant une date qui est passée.",
        "manifest-malformed": "exeat/manifest.json est incorrect.",
        "manifest-mismatch": "Le manifeste et les fichiers de l’archive ne concordent pas.",
        "coverage-mismatch": "Les nombres d’objets attendus, exportés et omis ne concordent pas.",
        "tree-malformed": "Le flux ou l’index d’une arborescence est incorrect.",
        "tree-order": "Les entrées d’une arborescence ne sont pas dans leur ordre.",
        "tree-path-unsafe": "Un chemin d’une arborescence sort de sa racine.",
        "tree-link-unsafe": "Un lien d’une arborescence mènerait une entrée hors de sa racine.",
        "tree-mismatch":
            "Les entrées d’une arborescence ne sont pas celles de son index ou de son empreinte.",
        "tree-twins": "Deux noms d’une arborescence se confondent sur la cible.",
        "comparison-failed": "Ce qui a été importé diffère de ce qui a été exporté.",
        "database-content": "Un artefact d’une base n’est pas dans la forme qu’Exeat écrit.",
        "vma-malformed":
            "Une sauvegarde de Proxmox VE (VMA) porte un en-tête ou une étendue incorrects.",
        "vma-clusters":
            "Une sauvegarde de Proxmox VE (VMA) a un bloc en double, absent ou hors du disque.",
        "guest-content": "Un artefact d’un invité n’est pas dans la forme qu’Exeat écrit.",
        "log-malformed":
            "Un journal d’une archive ou d’une cible n’est pas dans la forme attendue.",
        "time-stamp-malformed": "Un horodatage ou sa requête n’a pas la forme de la RFC 3161.",
        "time-stamp-refused": "La réponse d’une autorité d’horodatage n’accorde rien.",
        "time-stamp-imprint": "Un horodatage porte sur d’autres octets que ceux qu’il accompagne.",
        "time-stamp-nonce": "Un horodatage ne répète pas le nonce de sa requête.",
        "time-stamp-policy": "Un horodatage suit une autre politique que celle demandée.",
        "time-stamp-signature": "La signature d’un horodatage n’est pas valide.",
        "time-stamp-certificate":
            "Le certificat d’un horodatage manque, n’est pas celui qu’il nomme ou n’est pas fait pour cela.",
        "time-stamp-untrusted": "Un horodatage ne mène pas à une autorité de confiance.",
        "time-stamp-expired": "Un certificat d’un horodatage n’était pas valable à sa date.",
        "time-stamp-algorithm":
            "Un horodatage ou un certificat emploie un algorithme ou une clé qui ne prouve rien.",
        "time-stamp-backdated":
            "Un horodatage est plus ancien que ce dont il atteste, ou dans l’avenir.",
        "time-stamp-order": "L’horodatage qui ouvre l’export est postérieur à celui qui le clôt.",
        "time-stamp-missing": "Des horodatages sont exigés, et l’archive n’en a aucun de valable.",
        "time-stamp-opinion": "Exeat et OpenSSL ne sont pas d’accord sur un horodatage.",
        "document-malformed": "Un document du dossier n’a pas la forme de son genre.",
        "document-missing": "Un document du dossier en nomme un qui n’est pas là.",
        "document-order": "Un document du dossier ne suit pas celui qu’il doit suivre.",
        "document-foreign": "Un document du dossier porte sur une autre archive.",
        "document-replayed":
            "Les documents portent sur une archive plus récente que celle qui est là.",
        "document-changed":
            "Un document du dossier n’est pas celui qu’un document ultérieur nomme.",
        "document-conflict": "Deux documents différents existent pour une même étape du dossier.",
        "document-date":
            "Les dates du dossier reculent : un document est plus ancien que celui qui le précède.",
        "document-approval":
            "Un effacement contre le verrou n’a pas l’approbation de deux personnes avec deux clés.",
        "erasure-too-early":
            "La source a été effacée avant la première date légale, et personne ne l’a approuvé.",
    ]
}
