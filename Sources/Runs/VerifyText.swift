import Signatures

/// `VERIFY.txt`: how to check this very bag with standard tools.
///
/// It is prose in the comments of a POSIX shell script, so that it can be read, pasted line by line
/// or run as a whole: `TRUST=FILE sh VERIFY.txt` in the bag's folder.
struct VerifyText {
    let principal: String
    let context: String
    /// Recipients of an encrypted bag; empty otherwise.
    let isEncrypted: Bool

    var text: String {
        """
        # How to check this archive without Exeat
        #
        # Needed: GNU coreutils, OpenSSH 8.9 or later, bagit.py (PyPI: bagit), and for ML-DSA-65 either
        # OpenSSL 3.5 or later or Python's cryptography 48 or later.
        # Needed too, from a source you trust and NOT from this archive: who the signer is. That is the
        # trust file of the exporting party (NAME.trust.json), or a folder with its two public keys as
        # \(principal).allowed_signers and \(principal).mldsa65.pem (or signer.… instead of \(principal).…).
        # For the later documents (receipt, acceptance, erasure, …) the same of those who have signed them.
        # What lies beside a tar, in NAME.proof/, is copied into proof/ of the unpacked archive first.
        # Run the lines one by one in the folder of the archive, or all of them:
        #   TRUST=/the/trust.json sh VERIFY.txt
        # Time-stamps are checked too where TSA_CA names a PEM file with the roots of the authorities:
        #   TRUST=/the/trust.json TSA_CA=/the/tsa-ca.pem sh VERIFY.txt
        # Certificates that a token lacks go into a file of their own: TSA_CERTS=/the/certificates.pem
        set -eu
        : "${TRUST:?set TRUST to the trust file, or to the folder with the public keys of \(principal)}"
        bad() { echo "NOT GOOD: $1" >&2; exit 1; }

        # A copy of the proof alone has no data/: then nothing can be said about the data.
        if [ -e data ]; then whole=yes; else whole=no; fi

        # 1. Every stored file is as it was listed, and every tag file too.
        [ $whole = no ] || sha256sum --check --strict --quiet manifest-sha256.txt
        sha256sum --check --strict --quiet tagmanifest-sha256.txt

        # 2. Nothing is here that is not listed: payload, other files, proofs, links, devices.
        listed=$(cut -c 67- manifest-sha256.txt | LC_ALL=C sort | sha256sum)
        found=$([ $whole = no ] || find data -type f | LC_ALL=C sort | sha256sum)
        test "$listed" = "$found" || test $whole = no || bad "data/ holds other files than manifest-sha256.txt lists"
        listed=$({ cut -c 67- tagmanifest-sha256.txt; ls tagmanifest-*; } | LC_ALL=C sort)
        found=$(find . -type f ! -path './data/*' ! -path './proof/*' | cut -c 3- | LC_ALL=C sort)
        test "$listed" = "$found" || bad "there are other files than tagmanifest-sha256.txt lists"
        test -z "$(find proof -type f | grep -vxE 'proof/(seal\\.json(\\.sig|\\.mldsa65)?\
        |opening(-[2-9])?\\.ts[rq]|timestamped\\.txt((-[2-9])?\\.ts[rq])?|keys/[a-z0-9._-]+\
        |(plan|receipt-[1-9][0-9]*|acceptance|erasure-request|override-[1-9][0-9]*|erasure)\\.json(\\.sig|\\.mldsa65)?)')" \\
          || bad "proof/ holds a file that has no place there"
        for key in proof/keys/*; do
          grep -qF "{\\"name\\":\\"${key#proof/}\\",\\"sha256\\":\\"$(sha256sum < "$key" | cut -c 1-64)\\"}" \\
            proof/seal.json || bad "$key is not the one in the seal"
        done
        test -z "$(find . ! -type f ! -type d)" || bad "there is something not a file"
        test -z "$(find . -type d -empty)" || bad "there is an empty folder"

        # 3. It is a valid bag (RFC 8493).
        [ $whole = no ] || python3 -m bagit --validate --quiet .

        # 4. The seal speaks of this bag.
        tags=$(sha256sum < tagmanifest-sha256.txt | cut -c 1-64)
        grep -qF "{\\"digest\\":{\\"sha256\\":\\"$tags\\"},\\"name\\":\\"tagmanifest-sha256.txt\\"}" \\
          proof/seal.json || bad "the seal is about another archive"

        # 5. Both signatures of the seal are the signer's: Ed25519, then ML-DSA-65.
        KEYS=$(mktemp -d); trap 'rm -r "$KEYS"' EXIT
        keys_of() { # principal, namespace, roles: puts the keys into $KEYS, or fails where nobody knows him
          echo 0 none > "$KEYS/dates"
          if [ -d "$TRUST" ]; then
            name=$1
            if [ ! -e "$TRUST/$1.mldsa65.pem" ] && [ "$2" = \(context) ]; then name=signer; fi
            for part in allowed_signers mldsa65.pem; do
              [ -e "$TRUST/$name.$part" ] || return 1
              cp "$TRUST/$name.$part" "$KEYS/signer.$part"
            done
          else
            python3 -c 'import base64, json, sys
        text, keys = open(sys.argv[1]).read().strip(), []
        while text:
            document, end = json.JSONDecoder().raw_decode(text)
            keys, text = keys + document["keys"], text[end:].strip()
        mine = [k for k in keys if k["principal"] == sys.argv[2]]
        if not mine: sys.exit(1)
        if not set(sys.argv[5:]) & set(mine[0]["roles"]):
            open(sys.argv[3] + "/dates", "w").write("role")
            sys.exit("the trust file has no " + " or ".join(sys.argv[5:]) + " " + sys.argv[2])
        spki = bytes.fromhex("308207b2300b0609608648016503040312038207a100") + base64.b64decode(mine[0]["mldsa65"])
        lines = base64.encodebytes(spki).decode()
        with open(sys.argv[3] + "/signer.mldsa65.pem", "w") as file:
            file.write("-----BEGIN PUBLIC KEY-----\\n" + lines + "-----END PUBLIC KEY-----\\n")
        with open(sys.argv[3] + "/signer.allowed_signers", "w") as file:
            file.write(sys.argv[2] + " namespaces=\\"" + sys.argv[4] + "\\" " + mine[0]["ed25519"] + "\\n")
        with open(sys.argv[3] + "/dates", "w") as file:
            file.write((mine[0].get("notBefore") or "0") + " " + (mine[0].get("notAfter") or "none"))
        ' "$TRUST" "$1" "$KEYS" "$2" $3
          fi
        }
        in_date() { # principal, moment: whether the keys that keys_of has found were good then
          python3 -c 'import sys
        at, first, last = (text.split(".")[0].rstrip("Z") for text in sys.argv[1:])
        sys.exit(not (first <= at and (last == "none" or at <= last)))' "$2" $(cat "$KEYS/dates") \\
            || bad "the key of $1 was not valid at $2"
        }
        now=$(date -u +%Y-%m-%dT%H:%M:%S)
        signed() { # file, namespace, principal
          ssh-keygen -Y verify -f "$KEYS/signer.allowed_signers" -I "$3" -n "$2" -s "$1.sig" < "$1"
          if openssl list -signature-algorithms 2>/dev/null | grep -qi 'ML-DSA-65'; then
            openssl pkeyutl -verify -pubin -inkey "$KEYS/signer.mldsa65.pem" -in "$1" \\
              -sigfile "$1.mldsa65" -pkeyopt "context-string:$2"
          else
            python3 -c 'import sys
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
        key = load_pem_public_key(open(sys.argv[1], "rb").read())
        key.verify(open(sys.argv[2] + ".mldsa65", "rb").read(),
                   open(sys.argv[2], "rb").read(), sys.argv[3].encode())
        print("ML-DSA-65: good signature")' "$KEYS/signer.mldsa65.pem" "$1" "$2"
          fi
        }
        keys_of '\(principal)' \(context) exporter || bad "the trust file has no exporter \(principal)"
        signed proof/seal.json \(context) '\(principal)'
        cp "$KEYS/dates" "$KEYS/seal"

        # 6. The journal is one unbroken chain, and the seal names its end.
        previous=$(printf '0%.0s' $(seq 64)); count=0
        while IFS= read -r line; do
          case $line in
            "{\\"seq\\":$count,"*"\\"prev\\":\\"$previous\\""*) ;;
            *) echo "the journal is broken at line $count"; exit 1 ;;
          esac
          previous=$(printf '%s' "$line" | sha256sum | cut -d ' ' -f 1); count=$((count + 1))
        done < exeat/journal.jsonl
        grep -q "\\"entries\\":$count,\\"head\\":\\"$previous\\"" proof/seal.json \\
          || bad "the journal ends elsewhere than the seal says"

        # 7. Time-stamps (RFC 3161): over the first line of the journal, and over the seal and its signatures.
        if [ -e proof/timestamped.txt ]; then
          (cd proof && sha256sum --check --strict --quiet timestamped.txt)
          test "$(cut -c 67- proof/timestamped.txt | tr '\\n' ' ')" = "seal.json seal.json.mldsa65 seal.json.sig " \\
            || bad "proof/timestamped.txt lists other files"
        fi
        head -n 1 exeat/journal.jsonl | tr -d '\\n' > "$KEYS/opening"
        found=no; closing=
        for token in proof/opening*.tsr proof/timestamped.txt*.tsr; do
          [ -e "$token" ] || continue
          found=yes
          case $token in proof/opening*) data=$KEYS/opening ;; *) data=proof/timestamped.txt ;; esac
          form=
          openssl ts -reply -in "$token" -text > "$KEYS/stamp" 2>/dev/null || form=-token_in
          [ -z "$form" ] || openssl ts -reply -in "$token" $form -text > "$KEYS/stamp" 2>/dev/null \\
            || bad "$token is not a time-stamp"
          grep -E '^(Time stamp|Policy OID|TSA):' "$KEYS/stamp" || true
          when=$(date -u -d "$(sed -n 's/^Time stamp: //p' "$KEYS/stamp")" +%s)
          if [ -n "${TSA_CA:-}" ]; then
            # Certificates are judged at the date of the stamp, not at that of today.
            if openssl asn1parse -inform DER -in "$token" 2>/dev/null | grep -q rsassaPss; then
              # openssl ts does not know RSASSA-PSS, openssl cms does; it does not look at the message.
              openssl ts -reply -in "$token" $form -token_out -out "$KEYS/token" 2>/dev/null
              openssl cms -verify -cades -purpose timestampsign -inform DER -in "$KEYS/token" -out "$KEYS/content" \\
                -CAfile "$TSA_CA" -attime "$when" ${TSA_CERTS:+-certfile "$TSA_CERTS"} \\
                || bad "the time-stamp $token does not hold"
              hash=$(sed -n 's/^Hash Algorithm: //p' "$KEYS/stamp")
              said=$(sed -n '/^Message data:/,/^Serial/s/^ *[0-9a-f]* - \\(.\\{47\\}\\).*/\\1/p' "$KEYS/stamp" | tr -cd 0-9a-f)
              test "$said" = "$(openssl dgst "-$hash" -r "$data" | cut -d ' ' -f 1)" \\
                || bad "the time-stamp $token is over something else"
            else
              openssl ts -verify -data "$data" -in "$token" $form -CAfile "$TSA_CA" -attime "$when" \\
                ${TSA_CERTS:+-untrusted "$TSA_CERTS"} \\
                || bad "the time-stamp $token does not hold"
            fi
            case $token in proof/timestamped*)
              closing=$(printf '%s\\n' $closing "$(date -u -d "@$when" +%Y-%m-%dT%H:%M:%S)" | sort | head -n 1) ;;
            esac
          else
            echo "$token was not checked: set TSA_CA to the root certificate of the authority"
          fi
        done
        [ "$found" = yes ] || echo "there is no time-stamp"
        # Keys are judged at the date of the seal: that of its first time-stamp, or without one that of today.
        mv "$KEYS/seal" "$KEYS/dates"
        in_date '\(principal)' "${closing:-$now}"
        for token in $(sed -n 's/.*"openings":\\[\\([^]]*\\)\\].*/\\1/p' proof/seal.json | grep -o 'opening[-2-9]*\\.tsr'); do
          digest=$(sha256sum < "proof/$token" | cut -c 1-64)
          grep -qF "{\\"name\\":\\"$token\\",\\"sha256\\":\\"$digest\\"}" proof/seal.json || bad "$token is not the one in the seal"
        done
        # 8. The later documents, if there are any: each names the one before it by its digest, and is
        # signed by somebody who may sign it.
        for part in proof/*.sig proof/*.mldsa65; do
          [ -e "${part%.*}" ] || bad "$part is a signature of nothing"
        done
        for document in plan.json $(ls proof | grep -xE 'receipt-[1-9][0-9]*\\.json') acceptance.json \\
          erasure-request.json $(ls proof | grep -xE 'override-[1-9][0-9]*\\.json') erasure.json; do
          [ -e "proof/$document" ] || continue
          kind=$(printf '%s' "${document%.json}" | sed 's/-[0-9]*$//')
          subject=$(sed -n 's/.*"subject":\\[{"digest":{"sha256":"\\([0-9a-f]*\\)"},"name":"\\([a-z0-9.-]*\\)"}\\]}$/\\1 \\2/p' \\
            "proof/$document")
          digest=${subject% *}; name=${subject#* }
          for part in sig mldsa65; do
            test -s "proof/$document.$part" || bad "$document has lost $document.$part"
          done
          case $kind in
            plan) roles=controller
              grep -qF "\\"agreement\\":{\\"sha256\\":\\"$(sha256sum < proof/plan.json | cut -c 1-64)\\"}" \\
                proof/seal.json || bad "the seal does not name this plan.json" ;;
            receipt) roles=importer ;;
            override) roles='controller eraser' ;;
            erasure) roles=eraser ;;
            *) roles=controller ;;
          esac
          case $kind:$name in
            plan:plan|receipt:seal.json|override:seal.json|acceptance:receipt-*|erasure-request:acceptance.json) ;;
            erasure:erasure-request.json) ;;
            erasure:*) grep -qF '"overridden":true' proof/erasure.json || bad "erasure.json follows $name, out of order" ;;
            *) bad "$document follows $name, out of order" ;;
          esac
          if [ "$kind" != plan ]; then
            test -f "proof/$name" || bad "$document names $name, which is not there"
            test "$(sha256sum < "proof/$name" | cut -c 1-64)" = "$digest" \\
              || bad "$document names another $name than the one that is there"
          fi
          who=$(sed -n 's/.*"signer":{"ed25519":"[^"]*","mldsa65":"[^"]*","principal":"\\([^"]*\\)"}.*/\\1/p' \\
            "proof/$document")
          if keys_of "$who" "exeat/$kind/v1" "$roles"; then
            signed "proof/$document" "exeat/$kind/v1" "$who"
            in_date "$who" "$now"
            echo "$document: signed by $who, follows $name"
          else
            test "$(cat "$KEYS/dates")" != role || bad "$document is signed by $who, who is no $roles"
            echo "$document: NOT CHECKED, signed by $who, whom nobody here vouches for as $roles"
          fi
        done
        if grep -qsF '"overridden":true' proof/erasure.json; then
          echo "erasure.json: AGAINST THE LOCK, with these approvals:"
          for document in $(grep -o '"file":"override-[1-9][0-9]*\\.json"' proof/erasure.json | cut -d '"' -f 4); do
            grep -qF "\\"sha256\\":\\"$(sha256sum < "proof/$document" | cut -c 1-64)\\"" proof/erasure.json \\
              || bad "$document is not the one that erasure.json names"
            grep -o '"name":"[^"]*","reason":"[^"]*"' "proof/$document"
          done
        fi

        \(VerifyDates.script)

        if [ $whole = no ]; then
          echo "the proof is complete and unchanged; NOTHING IS SAID ABOUT THE DATA, which is not here"
          exit 2
        fi
        echo "this archive is complete and unchanged"
        \(isEncrypted
            ? "# The data is encrypted with age; RESTORE.txt decrypts it. Nothing above needs a secret key.\n"
            : "")
        """
    }
}

/// The same for who explains an archive to people.
public enum VerificationInstructions {
    /// - Parameter principal: who sealed it, as the seal says; the text is fit for a shell only where
    ///   that is a principal of a trust file.
    public static func text(principal: String, isEncrypted: Bool) -> String? {
        guard PublicKeyPair.isValidPrincipal(principal) else { return nil }
        return VerifyText(
            principal: principal, context: DocumentKind.seal.context, isEncrypted: isEncrypted
        ).text
    }
}
