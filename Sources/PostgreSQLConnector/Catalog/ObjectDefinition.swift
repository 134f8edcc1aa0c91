import Basics
import Primitives

/// A digest of what an object is defined as, taken alike on the source and on the target.
///
/// What a server prints is read by another one and printed again, and a round trip changes casts and
/// parentheses: `(x)::text = ANY ((ARRAY['a'::varchar])::text[])` becomes `ANY (ARRAY[('a'::varchar)::text])`.
/// So the digest is of the tokens without parentheses and casts.
enum ObjectDefinition {
    /// Of the text as the catalog's functions print it, and of options, those with secrets left out.
    static func digest(_ text: String, options: [String]) -> Digest256 {
        var hasher = SHA256()
        for token in tokens(Array(text.utf8)) {
            hasher.update(token)
            hasher.update([0])
        }
        for option in options {
            // An option of a column has the column's name and a line end in front.
            let name = option.prefix { $0 != "=" }
            let end = name.firstIndex(of: "\n").map { option.index(after: $0) }
            let parts = SecretOptions.parts(String(option[(end ?? option.startIndex)...]))
            guard !SecretOptions.holds(parts.name, parts.value) else { continue }
            hasher.update(Array(option.utf8))
            hasher.update([0])
        }
        return hasher.finish()
    }

    /// The tokens that count.
    static func tokens(_ bytes: [UInt8]) -> [[UInt8]] {
        var lexer = SQLLexer(bytes)
        var all: [SQLToken] = []
        while let token = lexer.next() { all.append(token) }
        var kept: [[UInt8]] = []
        var index = 0
        func isSymbol(_ place: Int, _ byte: UInt8) -> Bool {
            all.indices.contains(place) && all[place].kind == .symbol
                && bytes[all[place].range.lowerBound] == byte
        }
        func word(_ place: Int) -> String {
            guard all.indices.contains(place), all[place].kind == .word else { return "" }
            return String(decoding: bytes[all[place].range], as: UTF8.self)
        }
        /// The place behind a length in parentheses.
        func behindLength(_ place: Int) -> Int {
            guard isSymbol(place, 0x28), all.indices.contains(place + 1),
                all[place + 1].kind == .number
            else { return place }
            var end = place + 1
            while all.indices.contains(end), !isSymbol(end, 0x29) { end += 1 }
            return end + 1
        }
        /// The place behind the name of a type.
        func behindType(_ place: Int) -> Int {
            var end = place + 1
            while isSymbol(end, 0x2e) { end += 2 }
            switch word(end - 1) {
            case "character", "bit": if word(end) == "varying" { end += 1 }
            case "double": if word(end) == "precision" { end += 1 }
            case "time", "timestamp":
                end = behindLength(end)
                if ["with", "without"].contains(word(end)), word(end + 1) == "time" { end += 3 }
            case "interval":
                while ["year", "month", "day", "hour", "minute", "second", "to"].contains(word(end))
                {
                    end += 1
                }
            default: break
            }
            end = behindLength(end)
            while isSymbol(end, 0x5b), isSymbol(end + 1, 0x5d) { end += 2 }
            return end
        }
        while index < all.count {
            if isSymbol(index, 0x3a), isSymbol(index + 1, 0x3a), index + 2 < all.count {
                index = behindType(index + 2)
            } else {
                if !isSymbol(index, 0x28), !isSymbol(index, 0x29) {
                    kept.append(Array(bytes[all[index].range]))
                }
                index += 1
            }
        }
        return kept
    }
}

/// The definitions as expressions over a row `o` of their catalog.
enum DefinitionSQL {
    /// Of a relation: columns, and what is about the whole.
    static func relation(_ version: Int) -> String {
        """
        concat_ws(E'\\n', (SELECT string_agg(\(column(version)), E'\\n' ORDER BY
                CASE WHEN o.relispartition OR NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = o.oid)
                    THEN a.attnum END, a.attname COLLATE "C")
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped AND o.relkind <> 'S'),
        CASE WHEN o.relkind IN ('v', 'm') THEN 'AS ' || pg_get_viewdef(o.oid) END,
        CASE WHEN o.relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(o.oid) END,
        'FOR ' || pg_get_expr(o.relpartbound, o.oid),
        'INHERITS ' || (SELECT string_agg(h.inhparent::regclass::text, ',' ORDER BY h.inhseqno)
            FROM pg_inherits h WHERE h.inhrelid = o.oid),
        'OF ' || nullif(o.reloftype, 0)::regtype,
        'USING ' || (SELECT amname FROM pg_am WHERE oid = o.relam),
        'WITH ' || (SELECT string_agg(x, ',' ORDER BY x) FROM unnest(o.reloptions) x),
        'TOAST ' || (SELECT string_agg(x, ',' ORDER BY x) FROM pg_class s, unnest(s.reloptions) x
            WHERE s.oid = o.reltoastrelid),
        CASE WHEN o.relkind IN ('r', 'p') AND o.relreplident <> 'd' THEN 'REPLICA ' || o.relreplident::text END,
        'SERVER ' || (SELECT quote_ident(s.srvname) FROM pg_foreign_table f
            JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = o.oid),
        (SELECT concat_ws(' ', 'SEQUENCE', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin,
            s.seqmax, s.seqcache, s.seqcycle) FROM pg_sequence s WHERE s.seqrelid = o.oid),
        CASE WHEN o.relkind = 'S' THEN 'OWNED ' || (SELECT d.refobjid::regclass || '.' || quote_ident(a.attname)
            FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = o.oid AND d.objsubid = 0
                AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1) END)
        """
    }

    /// Defaults and generating expressions are objects of their own.
    private static func column(_ version: Int) -> String {
        let notes = ServerNotes.options.sorted().map(\.quotedString).joined(separator: ", ")
        return """
            concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                'COLLATE ' || (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname) FROM pg_collation c
                    JOIN pg_namespace n ON n.oid = c.collnamespace
                    WHERE c.oid = a.attcollation AND a.attcollation <> t.typcollation),
                CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'IDENTITY ' || nullif(a.attidentity::text, ''),
                \(version >= 120_000 ? "'GENERATED ' || nullif(a.attgenerated::text, '')," : "")
                CASE WHEN o.relkind IN ('r', 'p') THEN concat_ws(' ',
                    CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || a.attstorage::text END,
                    \(version >= 140_000 ? "'COMPRESSION ' || nullif(a.attcompression::text, '')," : "")
                    'STATISTICS ' || nullif(a.attstattarget, -1),
                    'OPTIONS ' || (SELECT string_agg(x, ',' ORDER BY x) FROM unnest(a.attoptions) x
                        WHERE split_part(x, '=', 1) NOT IN (\(notes)))) END,
                'COMMENT ' || quote_literal(col_description(o.oid, a.attnum)))
            """
    }

    static let relationOptions = """
        CASE WHEN o.relkind = 'f' THEN (SELECT json_agg(x ORDER BY x) FROM (
            SELECT unnest(f.ftoptions) FROM pg_foreign_table f WHERE f.ftrelid = o.oid
            UNION ALL SELECT a.attname || E'\\n' || unnest(a.attfdwoptions) FROM pg_attribute a
            WHERE a.attrelid = o.oid AND NOT a.attisdropped) f(x)) END
        """

    static func index(_ version: Int) -> String {
        "concat_ws(' ', pg_get_indexdef(o.oid), 'INHERITS ' || (SELECT h.inhparent::regclass FROM "
            + "pg_inherits h WHERE h.inhrelid = o.oid LIMIT 1))"
    }

    static let type = """
        concat_ws(' ', CASE o.typtype WHEN 'd' THEN format_type(o.typbasetype, o.typtypmod) END,
            CASE WHEN o.typnotnull THEN 'NOT NULL' END, 'DEFAULT ' || o.typdefault,
            'COLLATE ' || (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname) FROM pg_collation c
                JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = o.typcollation
                AND o.typtype = 'd'),
            'ENUM ' || (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
                FROM pg_enum e WHERE e.enumtypid = o.oid),
            (SELECT concat_ws(' ', 'RANGE', r.rngsubtype::regtype, nullif(r.rngcanonical::oid, 0)::regproc,
                nullif(r.rngsubdiff::oid, 0)::regproc) FROM pg_range r WHERE r.rngtypid = o.oid),
            CASE WHEN o.typtype = 'b' THEN concat_ws(' ', 'BASE', o.typinput::regproc, o.typoutput::regproc,
                o.typlen, o.typbyval, o.typalign, o.typstorage, o.typcategory, o.typdelim) END)
        """

    static let routine = """
        CASE WHEN o.prokind = 'a' THEN (SELECT concat_ws(' ', pg_get_function_arguments(o.oid),
                pg_get_function_result(o.oid), g.aggkind, g.aggtransfn::regproc,
                nullif(g.aggfinalfn::oid, 0)::regproc, nullif(g.aggcombinefn::oid, 0)::regproc,
                g.aggtranstype::regtype, quote_nullable(g.agginitval), nullif(g.aggsortop, 0)::regoperator,
                o.proparallel)
            FROM pg_aggregate g WHERE g.aggfnoid = o.oid)
        ELSE regexp_replace(pg_get_functiondef(o.oid), E'\\n SET role TO [^\\n]*', '') END
        """
    /// Roles that a routine takes on.
    static let routineRoles =
        "SELECT substr(x, 6), 'set-role', '' FROM unnest(o.proconfig) x WHERE x LIKE 'role=%'"

    static let operators = """
        concat_ws(' ', o.oprcode::regproc, nullif(o.oprrest::oid, 0)::regproc,
            nullif(o.oprjoin::oid, 0)::regproc, nullif(o.oprcom, 0)::regoperator,
            nullif(o.oprnegate, 0)::regoperator, o.oprcanmerge, o.oprcanhash)
        """

    static let operatorClass =
        "concat_ws(' ', o.opcintype::regtype, o.opcdefault, nullif(o.opckeytype, 0)::regtype)"

    static let operatorFamily = """
        concat_ws(E'\\n', (SELECT string_agg(concat_ws(' ', m.amopstrategy, m.amoppurpose,
                m.amopopr::regoperator), ',' ORDER BY m.amopstrategy, m.amopopr::regoperator::text)
            FROM pg_amop m WHERE m.amopfamily = o.oid),
            (SELECT string_agg(concat_ws(' ', m.amprocnum, m.amproc::regprocedure), ','
                ORDER BY m.amprocnum, m.amproc::regprocedure::text)
            FROM pg_amproc m WHERE m.amprocfamily = o.oid))
        """

    static let cast =
        "concat_ws(' ', nullif(o.castfunc, 0)::regprocedure, o.castcontext, o.castmethod)"

    static let conversion =
        "concat_ws(' ', o.conforencoding, o.contoencoding, o.conproc, o.condefault)"

    static func collation(_ version: Int) -> String {
        let locale =
            version >= 170_000 ? "o.colllocale" : version >= 150_000 ? "o.colliculocale" : "NULL"
        return "concat_ws(' ', o.collprovider, coalesce(\(locale), o.collcollate), o.collctype"
            + (version >= 120_000 ? ", o.collisdeterministic)" : ")")
    }

    static let searchConfiguration = """
        concat_ws(' ', (SELECT prsname FROM pg_ts_parser WHERE oid = o.cfgparser),
            (SELECT string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary, ','
                ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = o.oid))
        """

    static let searchDictionary = """
        concat_ws(' ', (SELECT n.nspname || '.' || t.tmplname FROM pg_ts_template t
            JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid = o.dicttemplate),
            quote_nullable(o.dictinitoption))
        """

    static let searchParser =
        "concat_ws(' ', o.prsstart, o.prstoken, o.prsend, o.prsheadline::oid::regproc, o.prslextype)"

    static let searchTemplate = "concat_ws(' ', o.tmplinit::oid::regproc, o.tmpllexize)"

    static let policy = """
        concat_ws(' ', o.polcmd, o.polpermissive, 'USING ' || pg_get_expr(o.polqual, o.polrelid),
            'CHECK ' || pg_get_expr(o.polwithcheck, o.polrelid))
        """
    static let policyRoles = """
        SELECT CASE WHEN x = 0 THEN '' ELSE pg_get_userbyid(x) END, 'applies', '' FROM unnest(o.polroles) x
        """

    static let eventTrigger = """
        concat_ws(' ', o.evtevent, o.evtfoid::regproc,
            (SELECT string_agg(quote_literal(x), ',' ORDER BY x) FROM unnest(o.evttags) x))
        """

    static func publication(_ version: Int) -> String {
        "concat_ws(' ', o.puballtables, o.pubinsert, o.pubupdate, o.pubdelete, o.pubtruncate"
            + (version >= 130_000 ? ", o.pubviaroot)" : ")")
    }

    static func publicationTable(_ version: Int) -> String {
        version < 150_000
            ? "''"
            : """
            concat_ws(' ', pg_get_expr(o.prqual, o.prrelid),
                (SELECT string_agg(quote_ident(a.attname), ',' ORDER BY a.attname COLLATE "C")
                FROM unnest(o.prattrs::int2[]) x JOIN pg_attribute a ON a.attrelid = o.prrelid AND a.attnum = x))
            """
    }

    static let wrapper =
        "concat_ws(' ', nullif(o.fdwhandler, 0)::regproc, nullif(o.fdwvalidator, 0)::regproc)"

    static let server = """
        concat_ws(' ', (SELECT quote_ident(f.fdwname) FROM pg_foreign_data_wrapper f WHERE f.oid = o.srvfdw),
            quote_nullable(o.srvtype), quote_nullable(o.srvversion))
        """

    static let language = """
        concat_ws(' ', nullif(o.lanplcallfoid, 0)::regproc, nullif(o.laninline, 0)::regproc,
            nullif(o.lanvalidator, 0)::regproc, o.lanpltrusted)
        """

    static let accessMethod = "concat_ws(' ', o.amhandler, o.amtype)"

    static let transform =
        "concat_ws(' ', nullif(o.trffromsql::oid, 0)::regproc, nullif(o.trftosql::oid, 0)::regproc)"

    // MARK: - Rights

    /// The rows of an ACL: role ("" for everybody), privilege (with a star where it may be passed on),
    /// and column. Who granted is not told: it is the owner in nearly every case, and another user's
    /// import could not say otherwise.
    static func rights(_ acl: String, _ kind: String, owner: String, column: String = "''")
        -> String
    {
        """
        SELECT CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END,
            x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, \(column)
        FROM aclexplode(coalesce(\(acl), acldefault('\(kind)', \(owner)))) x
        """
    }

    static let relationRights = """
        SELECT CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END,
            x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ''
        FROM aclexplode(CASE WHEN o.relkind = 'c'
            THEN (SELECT coalesce(t.typacl, acldefault('T', t.typowner)) FROM pg_type t WHERE t.oid = o.reltype)
            ELSE coalesce(o.relacl, acldefault(CASE o.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", o.relowner))
            END) x
        UNION ALL
        SELECT CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END,
            x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, a.attname
        FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) x
        WHERE a.attrelid = o.oid AND NOT a.attisdropped
        """
}
