// Written by Scripts/legal from Manifests/legal: change it there.

/// The legal profiles and calendars that come with the program, as their files are.
enum LegalTexts {
    struct Text: Sendable {
        let id: String
        let json: String
    }

    static let profiles: [Text] = [
        .init(
            id: "ccag-tic-2021",
            json: ##"""
                {
                  "exeat-legal-profile": 1,
                  "id": "ccag-tic-2021",
                  "title": {
                    "fr": "CCAG-TIC 2021",
                    "en": "CCAG-TIC 2021 (French general terms for public ICT contracts)"
                  },
                  "text": "CCAG-TIC 2021 (JORFARTI000043310668)",
                  "counting": "1182-71",
                  "note": "Article numbers and the rule of counting were not verified against the official text.",
                  "rules": [
                    {
                      "id": "destruction",
                      "clause": {
                        "fr": "clause de destruction (numéro d’article non vérifié)",
                        "en": "destruction clause (article number not verified)"
                      },
                      "kind": "at-most",
                      "event": "erasure",
                      "from": "contract-end",
                      "period": "P3M",
                      "source": "unverified",
                      "says": {
                        "fr": "Le titulaire détruit les copies, sauvegardes et archives comprises, dans les trois mois de la fin du marché.",
                        "en": "The holder destroys all copies, backups and archives included, within three months of the end of the contract."
                      }
                    },
                    {
                      "id": "record",
                      "clause": {
                        "fr": "clause de destruction (numéro d’article non vérifié)",
                        "en": "destruction clause (article number not verified)"
                      },
                      "kind": "at-most",
                      "event": "destruction-report",
                      "from": "contract-end",
                      "period": "P3M",
                      "source": "unverified",
                      "says": {
                        "fr": "La destruction est constatée par un procès-verbal daté et signé par le titulaire.",
                        "en": "The destruction is put on a record that the holder dates and signs."
                      }
                    }
                  ]
                }

                """##),
        .init(
            id: "clausier-securite-sante",
            json: ##"""
                {
                  "exeat-legal-profile": 1,
                  "id": "clausier-securite-sante",
                  "title": {
                    "fr": "Clausier Sécurité Santé 2024",
                    "en": "Clausier Sécurité Santé 2024 (security clauses of French hospitals)"
                  },
                  "text": "Clausier Sécurité Santé v2024",
                  "counting": "1182-71",
                  "note": "The rule of counting was not verified against the text.",
                  "rules": [
                    {
                      "id": "o-12.3.10",
                      "clause": "O-12.3.10",
                      "kind": "before",
                      "event": "trial-copy",
                      "from": "contract-end",
                      "period": "P3M",
                      "source": "secondary",
                      "says": {
                        "fr": "Une copie exploitable est remise trois mois avant la fin, pour des essais de migration.",
                        "en": "A usable copy is handed over three months before the end, for trying out the migration."
                      }
                    },
                    {
                      "id": "o-12.3.11",
                      "clause": "O-12.3.11",
                      "kind": "at-most",
                      "event": "handover",
                      "from": "contract-end",
                      "period": "P0D",
                      "source": "secondary",
                      "says": {
                        "fr": "Une copie exploitable est remise à la fin du contrat.",
                        "en": "A usable copy is handed over at the end of the contract."
                      }
                    },
                    {
                      "id": "o-12.3.14",
                      "clause": "O-12.3.14",
                      "kind": "at-most",
                      "event": "destruction-report",
                      "from": "contract-end",
                      "period": "P1M",
                      "source": "secondary",
                      "says": {
                        "fr": "Le procès-verbal de destruction est remis dans le mois qui suit la fin.",
                        "en": "The record of the destruction is handed over within a month after the end."
                      }
                    }
                  ]
                }

                """##),
        .init(
            id: "data-act",
            json: ##"""
                {
                  "exeat-legal-profile": 1,
                  "id": "data-act",
                  "title": {
                    "fr": "Règlement sur les données",
                    "en": "Data Act"
                  },
                  "text": {
                    "fr": "Règlement (UE) 2023/2854",
                    "en": "Regulation (EU) 2023/2854"
                  },
                  "counting": "1182-71",
                  "note": "Paraphrased, never the law's own words: check the text of the Regulation. Periods as in Regulation (EEC, Euratom) No 1182/71.",
                  "rules": [
                    {
                      "id": "25-2-d",
                      "clause": {
                        "fr": "art. 25(2)(d)",
                        "en": "Art. 25(2)(d)"
                      },
                      "kind": "at-most",
                      "event": "notice-end",
                      "from": "notice-received",
                      "period": "P2M",
                      "source": "secondary",
                      "says": {
                        "fr": "Le préavis dure au plus deux mois.",
                        "en": "The notice period lasts two months at most."
                      }
                    },
                    {
                      "id": "25-2-a",
                      "clause": {
                        "fr": "art. 25(2)(a)",
                        "en": "Art. 25(2)(a)"
                      },
                      "kind": "at-most",
                      "event": "transition-end",
                      "from": "transition-start",
                      "period": "P30D",
                      "unless": [
                        "infeasibility-notified",
                        "alternative-end",
                        "extension-end"
                      ],
                      "source": "secondary",
                      "says": {
                        "fr": "La transition dure au plus 30 jours calendaires après le préavis.",
                        "en": "The transition lasts 30 calendar days at most after the notice."
                      }
                    },
                    {
                      "id": "25-4-notice",
                      "clause": {
                        "fr": "art. 25(4)",
                        "en": "Art. 25(4)"
                      },
                      "kind": "at-most",
                      "event": "infeasibility-notified",
                      "from": "notice-received",
                      "period": "P14WD",
                      "only-if": [
                        "infeasibility-notified",
                        "alternative-end"
                      ],
                      "source": "secondary",
                      "says": {
                        "fr": "L’impossibilité de tenir 30 jours est notifiée et justifiée dans les 14 jours ouvrables de la demande.",
                        "en": "That 30 days are not feasible is told and justified within 14 working days of the request."
                      }
                    },
                    {
                      "id": "25-4-length",
                      "clause": {
                        "fr": "art. 25(4)",
                        "en": "Art. 25(4)"
                      },
                      "kind": "at-most",
                      "event": "alternative-end",
                      "from": "transition-start",
                      "period": "P7M",
                      "only-if": [
                        "infeasibility-notified",
                        "alternative-end"
                      ],
                      "source": "secondary",
                      "says": {
                        "fr": "La transition prolongée par le fournisseur dure au plus sept mois.",
                        "en": "A transition that the provider has prolonged lasts seven months at most."
                      }
                    },
                    {
                      "id": "25-5",
                      "clause": {
                        "fr": "art. 25(5)",
                        "en": "Art. 25(5)"
                      },
                      "kind": "times",
                      "event": "extension-end",
                      "times": 1,
                      "source": "secondary",
                      "says": {
                        "fr": "Le client peut prolonger la transition une fois.",
                        "en": "The customer may extend the transition once."
                      }
                    },
                    {
                      "id": "25-2-g",
                      "clause": {
                        "fr": "art. 25(2)(g)",
                        "en": "Art. 25(2)(g)"
                      },
                      "kind": "at-least",
                      "event": "retrieval-end",
                      "from": "transition-end",
                      "period": "P30D",
                      "source": "secondary",
                      "says": {
                        "fr": "La période de récupération dure au moins 30 jours calendaires après la transition.",
                        "en": "The period for retrieving data lasts at least 30 calendar days after the transition."
                      }
                    },
                    {
                      "id": "25-2-h",
                      "clause": {
                        "fr": "art. 25(2)(g), (h)",
                        "en": "Art. 25(2)(g), (h)"
                      },
                      "kind": "after",
                      "event": "erasure",
                      "from": "transition-end",
                      "period": "P30D",
                      "source": "secondary",
                      "says": {
                        "fr": "Rien n’est effacé avant la fin de 30 jours calendaires après la transition.",
                        "en": "Nothing is erased before 30 calendar days after the transition are over."
                      }
                    },
                    {
                      "id": "25-2-h-agreed",
                      "clause": {
                        "fr": "art. 25(2)(h)",
                        "en": "Art. 25(2)(h)"
                      },
                      "kind": "after",
                      "event": "erasure",
                      "from": "retrieval-end",
                      "period": "P0D",
                      "source": "secondary",
                      "says": {
                        "fr": "Rien n’est effacé avant la fin de la période de récupération convenue.",
                        "en": "Nothing is erased before the agreed period for retrieving data is over."
                      }
                    },
                    {
                      "id": "29",
                      "clause": {
                        "fr": "art. 29, 25(2)(i)",
                        "en": "Art. 29, 25(2)(i)"
                      },
                      "kind": "none-from",
                      "event": "charges",
                      "on": "2027-01-12",
                      "source": "secondary",
                      "says": {
                        "fr": "Aucun frais de changement de fournisseur à partir du 12 janvier 2027.",
                        "en": "No switching charges from 12 January 2027 on."
                      }
                    }
                  ]
                }

                """##),
        .init(
            id: "secnumcloud-3.2",
            json: ##"""
                {
                  "exeat-legal-profile": 1,
                  "id": "secnumcloud-3.2",
                  "title": {
                    "fr": "SecNumCloud 3.2",
                    "en": "SecNumCloud 3.2"
                  },
                  "text": {
                    "fr": "ANSSI, référentiel SecNumCloud 3.2",
                    "en": "SecNumCloud 3.2 (ANSSI)"
                  },
                  "counting": "1182-71",
                  "note": "The rule of counting was not verified against the text.",
                  "rules": [
                    {
                      "id": "19.4.a",
                      "clause": "19.4.a",
                      "kind": "after",
                      "event": "erasure",
                      "from": "formal-notice",
                      "period": "P21D",
                      "source": "secondary",
                      "says": {
                        "fr": "Rien n’est effacé avant la fin d’un préavis formel de 21 jours calendaires.",
                        "en": "Nothing is erased before a formal notice of 21 calendar days is over."
                      }
                    }
                  ]
                }

                """##),
    ]

    static let calendars: [Text] = [
        .init(
            id: "fr-alsace-moselle",
            json: ##"""
                {
                  "exeat-calendar": 1,
                  "id": "fr-alsace-moselle",
                  "title": {
                    "fr": "Haut-Rhin, Bas-Rhin et Moselle",
                    "en": "Alsace and Moselle"
                  },
                  "note": "Time zone: clocks change at 01:00 UTC on the last Sunday of the months `from` and `until`; `standard` and `summer` are minutes ahead of UTC. `easter` counts days after Easter Sunday. Good Friday is a holiday in communes that have a Protestant or a mixed church.",
                  "time-zone": {
                    "name": "Europe/Paris",
                    "standard": 60,
                    "summer": 120,
                    "from": 3,
                    "until": 10,
                    "hour": 1
                  },
                  "holidays": [
                    {
                      "name": {
                        "fr": "Jour de l’an",
                        "en": "New Year's Day"
                      },
                      "date": "01-01",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Lundi de Pâques",
                        "en": "Easter Monday"
                      },
                      "easter": 1,
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Fête du Travail",
                        "en": "Labour Day"
                      },
                      "date": "05-01",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Victoire 1945",
                        "en": "Victory in Europe Day"
                      },
                      "date": "05-08",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Ascension",
                        "en": "Ascension Day"
                      },
                      "easter": 39,
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Lundi de Pentecôte",
                        "en": "Whit Monday"
                      },
                      "easter": 50,
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Fête nationale",
                        "en": "National Day"
                      },
                      "date": "07-14",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Assomption",
                        "en": "Assumption Day"
                      },
                      "date": "08-15",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Toussaint",
                        "en": "All Saints' Day"
                      },
                      "date": "11-01",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Armistice 1918",
                        "en": "Armistice Day"
                      },
                      "date": "11-11",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Noël",
                        "en": "Christmas Day"
                      },
                      "date": "12-25",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Vendredi saint",
                        "en": "Good Friday"
                      },
                      "easter": -2,
                      "source": "Code du travail, L3134-13 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Saint-Étienne",
                        "en": "Saint Stephen's Day"
                      },
                      "date": "12-26",
                      "source": "Code du travail, L3134-13 (unverified)"
                    }
                  ]
                }

                """##),
        .init(
            id: "fr",
            json: ##"""
                {
                  "exeat-calendar": 1,
                  "id": "fr",
                  "title": {
                    "fr": "France métropolitaine",
                    "en": "Metropolitan France"
                  },
                  "note": "Time zone: clocks change at 01:00 UTC on the last Sunday of the months `from` and `until`; `standard` and `summer` are minutes ahead of UTC. `easter` counts days after Easter Sunday.",
                  "time-zone": {
                    "name": "Europe/Paris",
                    "standard": 60,
                    "summer": 120,
                    "from": 3,
                    "until": 10,
                    "hour": 1
                  },
                  "holidays": [
                    {
                      "name": {
                        "fr": "Jour de l’an",
                        "en": "New Year's Day"
                      },
                      "date": "01-01",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Lundi de Pâques",
                        "en": "Easter Monday"
                      },
                      "easter": 1,
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Fête du Travail",
                        "en": "Labour Day"
                      },
                      "date": "05-01",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Victoire 1945",
                        "en": "Victory in Europe Day"
                      },
                      "date": "05-08",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Ascension",
                        "en": "Ascension Day"
                      },
                      "easter": 39,
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Lundi de Pentecôte",
                        "en": "Whit Monday"
                      },
                      "easter": 50,
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Fête nationale",
                        "en": "National Day"
                      },
                      "date": "07-14",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Assomption",
                        "en": "Assumption Day"
                      },
                      "date": "08-15",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Toussaint",
                        "en": "All Saints' Day"
                      },
                      "date": "11-01",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Armistice 1918",
                        "en": "Armistice Day"
                      },
                      "date": "11-11",
                      "source": "Code du travail, L3133-1 (unverified)"
                    },
                    {
                      "name": {
                        "fr": "Noël",
                        "en": "Christmas Day"
                      },
                      "date": "12-25",
                      "source": "Code du travail, L3133-1 (unverified)"
                    }
                  ]
                }

                """##),
    ]
}
