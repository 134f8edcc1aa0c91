/// The part of `VERIFY.txt` that reckons: when law, contract and customer let the source be erased, and
/// whether a certificate kept to that.
///
/// It reads rules and holidays from the catalogue, under the seal, and shares nothing with `Deadlines`: a
/// second reckoning, which tests hold against the first.
enum VerifyDates {
    static let script = #"""
        # 9. Dates: every rule that the catalogue has, and from when on the source may be erased.
        cat > "$KEYS/dates.py" <<'END'
        from datetime import date, datetime, timedelta, timezone
        from glob import glob
        from json import JSONDecoder, dumps, load, loads
        from os.path import exists, isfile
        from sys import argv, exit
        from unicodedata import category, normalize
        def bad(what): exit("NOT GOOD: " + what)
        def read(path):
            with open(path, encoding="utf-8") as file: return load(file)
        def day(text): return datetime.strptime(text, "%Y-%m-%d").date()
        def days(count): return timedelta(days=count)
        def moment(text):
            return datetime.strptime(text[:19] + text[19:].strip(".Z").ljust(6, "0")[:6], "%Y-%m-%dT%H:%M:%S%f")
        catalogue, seal = read("exeat/catalogue.json"), read("proof/seal.json")["predicate"]
        contract = catalogue.get("contract") or {}
        legal = contract.get("legal") or {}
        calendar = legal.get("calendar") or {"holidays": [], "time-zone": {
            "standard": 60, "summer": 120, "from": 3, "until": 10, "hour": 1}}
        zone = calendar["time-zone"]

        # The documents: in their one form, each once, of dates that have come and follow each other.
        known = {}
        for path in ["proof/seal.json"] + sorted(set(glob("proof/*.json")) - {"proof/seal.json"}):
            with open(path, "rb") as file: stored = file.read()
            said = loads(stored)
            if dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != stored:
                bad(path + " is written in another form than it is signed in")
            if any(stored == other for other, _ in known.values()): bad(path + " is another document once more")
            known[path] = stored, said
        for path, (_, said) in known.items():
            made = moment(said["predicate"]["createdAt"])
            if made > datetime.now(timezone.utc).replace(tzinfo=None) + days(1): bad("%s is dated %s, in the future" % (path, made))
            before, after = "proof/" + said["subject"][0]["name"], path
            if path == "proof/plan.json": before, after = path, "proof/seal.json"
            if before in known and moment(known[before][1]["predicate"]["createdAt"]) > moment(known[after][1]["predicate"]["createdAt"]):
                bad(after + " is older than " + before)

        # Days and hours: clocks change on the last Sunday of two months.
        def change(month, year):
            last = date(year, month + 1, 1) - days(1) if month < 12 else date(year, 12, 31)
            return datetime.combine(last - days(last.isoweekday() % 7), datetime.min.time()) + timedelta(hours=zone["hour"])
        def ahead(at):
            summer = change(zone["from"], at.year) <= at < change(zone["until"], at.year)
            return timedelta(minutes=zone["summer" if summer else "standard"])
        def over(last):
            midnight = datetime.combine(last + days(1), datetime.min.time())
            return midnight - ahead(midnight - timedelta(minutes=zone["standard"]))
        def local(text): return (moment(text) + ahead(moment(text))).date()

        # Working days (Regulation 1182/71, Article 2(2)) and periods (Article 3).
        def easter(year):  # Gauss, with the two exceptions of 1816
            century = year // 100
            m = (15 - (13 + 8 * century) // 25 + century - century // 4) % 30
            n = (4 + century - century // 4) % 7
            d = (19 * (year % 19) + m) % 30
            e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + n) % 7
            if (d == 29 and e == 6) or (d == 28 and e == 6 and (11 * m + 11) % 30 < 19): e -= 7
            return date(year, 3, 22) + days(d + e)
        def works(one):
            if one.isoweekday() > 5: return False
            for holiday in calendar["holidays"]:
                if one.year < holiday.get("since", 0): continue
                if "easter" in holiday:
                    if easter(one.year) + days(holiday["easter"]) == one: return False
                elif one.strftime("%m-%d") == holiday["date"]: return False
            return True
        def months(one, count):
            count += one.year * 12 + one.month - 1
            first = date(count // 12, count % 12 + 1, 1)
            return first + days(min(one.day, ((first + days(31)).replace(day=1) - first).days) - 1)
        def shift(one, count, unit):
            if unit == "Y": return months(one, 12 * count)
            if unit == "M": return months(one, count)
            return one + days(count * 7 if unit == "W" else count)
        def end(one, period, backwards):
            unit = period.lstrip("P0123456789")
            count = int(period[1:-len(unit)])
            if unit == "WD":
                while count:
                    one += days(-1 if backwards else 1)
                    count -= works(one)
                return one
            if backwards or not count: return shift(one, -count, unit)
            last = shift(one, count, unit)
            while not works(last): last += days(1)
            if unit != "D" or count >= 2:
                while sum(works(one + days(n + 1)) for n in range(min((last - one).days, 30))) < 2:
                    last += days(1)
                    while not works(last): last += days(1)
            return last

        # What is known: dates of the contract, and those of the documents.
        def document(name): return read("proof/" + name)["predicate"] if exists("proof/" + name) else None
        known = {}
        for event, value in (contract.get("dates") or {}).items():
            known[event] = max(map(day, value if isinstance(value, list) else [value]))
        known["handover"] = local(seal["createdAt"])
        accepted, asked, erased = (document(name + ".json") for name in ["acceptance", "erasure-request", "erasure"])
        if accepted: known["acceptance"] = local(accepted["createdAt"])
        if asked: known["erasure-request"] = local(asked["createdAt"])
        for notice in [one.get("formalNotice") for one in [asked, erased] if one]:
            if notice: known["formal-notice"] = max(known.get("formal-notice", day(notice)), day(notice))
        if erased: known["destruction-report"] = local(erased["createdAt"])
        if exists("proof/plan.json"):
            if document("plan.json").get("contract", {}) != contract:
                bad("the catalogue has another contract, other dates or texts than plan.json")

        # Dates that nobody gave follow from others.
        rules = [dict(rule, id=text["id"] + "/" + rule["id"]) for text in legal.get("profiles", []) for rule in text["rules"]]
        def holds(rule): return not any(event in known for event in rule.get("unless", []))
        left = [20000]
        def forecast(event, asking):
            left[0] -= 1
            if event in asking or left[0] <= 0: return None
            found = []
            for rule in rules:
                if rule["event"] == event and rule["kind"] in ("at-most", "at-least") and holds(rule):
                    start = known_or_forecast(rule["from"], asking | {event})
                    if start: found.append(end(start, rule["period"], False))
            return max(found, default=None)
        def known_or_forecast(event, asking):
            if event == "transition-end":
                agreed = [known[one] for one in ("transition-end", "extension-end", "alternative-end") if one in known]
                if agreed or "acceptance" in known: return max(agreed) if agreed else known["acceptance"]
            if event in known: return known[event]
            if event == "transition-start" and "notice-end" in known: return known["notice-end"]
            if event == "transition-start":
                start = forecast("notice-end", asking)
                if start: return start
            return forecast(event, asking)
        last, clause, shut = None, "", []
        for rule in rules:
            if rule["kind"] in ("none-from", "times") or not holds(rule): continue
            start = known_or_forecast(rule["from"], {rule["event"]})
            bound = start and end(start, rule["period"], rule["kind"] == "before")
            print("date: %s %s %s %s" % (rule["id"], rule["event"], rule["kind"], bound or "unknown"))
            if rule["event"] != "erasure" or rule["kind"] not in ("after", "at-least"): continue
            if not bound: shut.append(rule["id"] + " counts from " + rule["from"] + ", which is not known")
            elif not last or bound > last: last, clause = bound, rule["id"]
        if asked and asked.get("notBefore"):
            agreed = day(asked["notBefore"]) - days(1)
            if not last or agreed > last: last, clause = agreed, "erasure-request.json"

        # The lock: a receipt that was accepted, the customer's request, and a date that has passed.
        receipt = None
        if accepted:
            receipt = document(accepted["receipt"]["file"])
            if accepted["receipt"]["status"] != receipt["outcome"]["status"]:
                bad("acceptance.json tells of another receipt than it follows")
            if receipt.get("purpose") == "drp-rehearsal": shut.append("what was accepted is a rehearsal")
            elif receipt["outcome"]["status"] == 3: shut.append("the receipt that was accepted tells of differences")
        else: shut.append("the customer has not accepted")
        if not asked: shut.append("the customer has not asked for the erasure")
        bounds = [moment(one["createdAt"]) for one in [accepted, asked] if one]
        if last: bounds.append(over(last))
        since = max(bounds, default=None)
        told = since and since.strftime("%Y-%m-%dT%H:%M:%SZ")
        if told:
            decides = last and over(last) == since
            print("erasure: not before %s (%s)" % (told, "%s, %s is over" % (clause, last) if decides else "the customer's word"))
        for reason in shut: print("erasure: locked, " + reason)
        if not erased: exit(0)
        begun = moment(erased["startedAt"])
        if not begun <= moment(erased["completedAt"]) < moment(erased["createdAt"]) + days(1):
            bad("the dates of erasure.json go backwards")
        if erased["lock"]["open"] == erased["lock"]["overridden"]: bad("erasure.json says no reason why the lock was no obstacle")
        if erased["lock"]["overridden"]:
            people = {}
            for one in erased["lock"]["overrides"]:
                said = document(one["file"])
                name = "".join(one for one in normalize("NFC", said["name"].lower()) if category(one)[0] in "LMN")
                if moment(said["createdAt"]) <= begun and name not in people.values():
                    people.setdefault(said["signer"]["principal"], name)
            if len(people) < 2: bad("the erasure went against its lock without two people beforehand")
            if isfile(argv[1]):
                text, keys = open(argv[1]).read().strip(), []
                while text:
                    found, cut = JSONDecoder().raw_decode(text)
                    keys, text = keys + found["keys"], text[cut:].strip()
                known_here = list({key["principal"]: key for key in keys if key["principal"] in people}.values())
                if len(known_here) == len(people) and not any("controller" in key["roles"] for key in known_here):
                    bad("nobody of the customer has approved the erasure against the lock")
            print("erasure: against the lock, approved by " + " and ".join(sorted(people)))
        elif shut: bad("the source was erased although " + shut[0])
        elif since and begun < since: bad("the source was erased at %s, before %s" % (erased["startedAt"], told))
        else: print("erasure: in time, at " + erased["startedAt"])
        END
        python3 "$KEYS/dates.py" "$TRUST" || exit 1
        """#
}
