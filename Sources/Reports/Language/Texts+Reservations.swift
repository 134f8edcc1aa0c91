import Basics
import Manifests

/// Reservations of receipts in the languages of reports.
extension Texts {
    func html(_ reservation: Reservation) -> HTML {
        html(self[reservation.kind], reservation.values.map(Self.value))
    }

    private static func value(_ text: String) -> Sentence.Value {
        if let number = Int64(text), String(number) == text { return .number(number) }
        return Timestamp(text).map { .moment($0) } ?? .name(text)
    }

    static let frenchReservations: [Reservation.Kind: String] = [
        .byCounts: "La cible n’a été comparée que par dénombrement.",
        .notCompared: "La cible n’a pas été comparée.",
        .notSet:
            "{0} {0:attribut n’a pas pu être posé/attributs n’ont pas pu être posés} sur la cible.",
        .omitted:
            "{0} {0:objet a été omis/objets ont été omis} de l’archive à l’export.",
        .notImported:
            "{0} {0:source de l’archive n’a pas été importée/sources de l’archive n’ont pas été importées}.",
        .setByHand: "À poser à la main : ce que la cible n’a pas pris.",
        .expired:
            "Accepté par {0} bien que l’archive ait dû être restaurée avant le {1} : {2}",
        .older:
            "Accepté par {0} bien que l’archive soit le numéro {1} de sa série et que le numéro {2} ait été importé ici le {3} : {4}",
        .forked:
            "Accepté par {0} bien que l’archive, numéro {1} de sa série, contredise le numéro {2} importé ici le {3} : {4}",
        .mergedOwners:
            "{0} {0:propriétaire ou groupe de la cible en représente/propriétaires ou groupes de la cible en représentent} plusieurs de la source.",
        .mergedRoles:
            "{0} {0:rôle de la cible en représente/rôles de la cible en représentent} plusieurs de la source.",
        .definitionsDiffer:
            "{0} {0:définition est imprimée/définitions sont imprimées} autrement par la cible, d’une autre version majeure que la source.",
        .linesNotCounted:
            "Les lignes de {0} {0:fichier de journaux texte/fichiers de journaux texte} n’ont pas pu être comptées à l’export.",
        .journalsUnused:
            "{0} {0:fichier de journal gardé tel quel n’a pas été importé/fichiers de journal gardés tels quels n’ont pas été importés} : le plan ne demande que des enregistrements.",
        .digestsInRecords:
            "{0} {0:enregistrement du journal porte/enregistrements du journal portent} une empreinte à la place des valeurs de plus de 1 Mio.",
        .clusterUnchanged:
            "La configuration de la grappe a été comparée, non modifiée, car « apply » n’est pas posé : {0} {0:appel serait fait, que le rapport énumère/appels seraient faits, que le rapport énumère}.",
        .settingsLost:
            "{0} {0:réglage d’invités n’a pas/réglages d’invités n’ont pas} d’équivalent dans leurs descriptions.",
        .disksWithoutTransport:
            "Les disques d’une machine n’ont pas été relus : la cible ne nomme pas de transport.",
        .filesWithoutTransport:
            "Les fichiers d’un conteneur n’ont pas été relus : la cible ne nomme pas de transport.",
        .disksWithoutBackup:
            "Les disques d’une machine n’ont pas été relus : aucune sauvegarde n’en a été faite.",
        .disksWithoutDigests:
            "Des disques d’une machine n’ont pas été comparés : l’archive n’en contient pas d’empreinte.",
        .filesWithoutBackup:
            "Les fichiers d’un conteneur n’ont pas été relus : aucune sauvegarde n’en a été faite.",
        .filesNotInArchive:
            "Les fichiers d’un conteneur n’ont pas été relus : l’archive n’en contient pas.",
        .filesLeftOut:
            "{0} {0:objet d’un conteneur n’a pas été relu/objets d’un conteneur n’ont pas été relus} : la cible {0:l’exclut/les exclut} de toute sauvegarde.",
        .damaged:
            "L’archive n’a pas passé sa vérification ({0} {0:anomalie/anomalies}) ; seul ce qui est intact a été rejoué.",
        .notRehearsed:
            "{0} {0:source de l’archive n’a pas été rejouée/sources de l’archive n’ont pas été rejouées}.",
        .timeLimit: "La limite de temps a mis fin à l’exercice.",
        .notSetOnTargets:
            "{0} {0:attribut n’a pas pu être posé/attributs n’ont pas pu être posés} sur les cibles.",
        .clockAhead:
            "{0} {0:source avait une horloge/sources avaient des horloges} en avance : le début de l’export tient lieu de leur instant.",
        .ageUnknown:
            "L’âge des données de {0} {0:source/sources} n’est pas connu : d’après l’horloge de cette machine, leur instant n’est pas encore venu.",
        .unproven:
            "Pour {0} {0:invité/invités}, rien ne montre que le système démarre.",
        .noNetwork: "Les serveurs jetables n’avaient pas de réseau à eux, seulement des sockets.",
        .emulated: "Des machines ont été émulées : leurs durées dépassent celles de KVM.",
        .restoredByCounts: "Ce qui a été restauré n’a été comparé que par dénombrement.",
        .restoredNotCompared: "Ce qui a été restauré n’a pas été comparé.",
    ]

    static let englishReservations: [Reservation.Kind: String] = [
        .byCounts: "The target was compared by counts only.",
        .notCompared: "The target was not compared.",
        .notSet: "{0} {0:attribute/attributes} could not be set on the target.",
        .omitted: "{0} {0:object was/objects were} omitted from the archive at export.",
        .notImported: "{0} {0:source of the archive was/sources of the archive were} not imported.",
        .setByHand: "To be set by hand: what the target did not take.",
        .expired: "Accepted by {0} although the archive was to be restored before {1}: {2}",
        .older:
            "Accepted by {0} although the archive is number {1} of its series, and number {2} was imported here at {3}: {4}",
        .forked:
            "Accepted by {0} although the archive is number {1} of its series and does not go with number {2}, which was imported here at {3}: {4}",
        .mergedOwners:
            "{0} {0:owner or group of the target stands/owners or groups of the target stand} for several of the source.",
        .mergedRoles:
            "{0} {0:role of the target stands/roles of the target stand} for several of the source.",
        .definitionsDiffer:
            "{0} {0:definition is/definitions are} printed otherwise by the target, which is of another major version than the source.",
        .linesNotCounted:
            "The lines of {0} text log {0:file/files} could not be counted at the export.",
        .journalsUnused:
            "{0} journal {0:file that was kept as it is was/files that were kept as they are were} not imported: the plan asks for records alone.",
        .digestsInRecords:
            "{0} {0:record of the journal holds a digest/records of the journal hold digests} in place of values beyond 1 MiB.",
        .clusterUnchanged:
            "The cluster’s configuration was compared and not changed, for “apply” is not set: {0} {0:call/calls} would be made, which the report lists.",
        .settingsLost:
            "{0} {0:setting of guests has/settings of guests have} no equivalent in their descriptions.",
        .disksWithoutTransport:
            "The disks of a machine were not read again: the target names no transport.",
        .filesWithoutTransport:
            "The files of a container were not read again: the target names no transport.",
        .disksWithoutBackup:
            "The disks of a machine were not read again: no backup of it was made.",
        .disksWithoutDigests:
            "Disks of a machine were not compared: the archive has no digests of them.",
        .filesWithoutBackup:
            "The files of a container were not read again: no backup of it was made.",
        .filesNotInArchive:
            "The files of a container were not read again: the archive has no files of it.",
        .filesLeftOut:
            "{0} {0:object of a container was/objects of a container were} not read again: the target leaves {0:it/them} out of every backup.",
        .damaged:
            "The archive did not pass its verification ({0} {0:fault/faults}); only what is intact was rehearsed.",
        .notRehearsed:
            "{0} {0:source of the archive was/sources of the archive were} not rehearsed.",
        .timeLimit: "The time limit ended the rehearsal.",
        .notSetOnTargets: "{0} {0:attribute/attributes} could not be set on the targets.",
        .clockAhead:
            "{0} {0:source/sources} had a clock that was ahead: the beginning of the export stands for the moment.",
        .ageUnknown:
            "How old the data of {0} {0:source/sources} is, is not known: by the clock of this machine it is of a moment that has not come yet.",
        .unproven: "Of {0} {0:guest/guests} nothing shows whether the system comes up.",
        .noNetwork: "Throw-away servers had no network of their own, only sockets.",
        .emulated: "Machines were emulated: their times are longer than with KVM.",
        .restoredByCounts: "What was restored was compared by counts only.",
        .restoredNotCompared: "What was restored was not compared.",
    ]
}
