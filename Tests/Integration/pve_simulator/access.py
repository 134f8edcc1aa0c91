"""Users, tokens, tickets and what they may do."""
import base64
import hmac
import re
import secrets
import struct
import time
import urllib.parse

from .errors import Refused, denied

_any = any  # `any` is also the name of a parameter below
TICKET_LIFE = 7200
PRIVILEGES = """VM.Allocate VM.Audit VM.Backup VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit
    VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.Console
    VM.Migrate VM.PowerMgmt VM.Snapshot VM.Snapshot.Rollback Sys.Audit Sys.Console Sys.Incoming
    Sys.Modify Sys.PowerMgmt Sys.Syslog Datastore.Allocate Datastore.AllocateSpace
    Datastore.AllocateTemplate Datastore.Audit User.Modify Group.Allocate Permissions.Modify
    Pool.Allocate Pool.Audit Realm.Allocate Realm.AllocateUser SDN.Allocate SDN.Audit""".split()
SINCE_8 = "SDN.Use Mapping.Audit Mapping.Modify Mapping.Use Sys.AccessNetwork".split()
SINCE_9 = """VM.GuestAgent.Audit VM.GuestAgent.FileRead VM.GuestAgent.FileWrite
    VM.GuestAgent.FileSystemMgmt VM.GuestAgent.Unrestricted VM.Replicate""".split()


def privileges(version):
    if version.startswith("7"):
        return PRIVILEGES + ["VM.Monitor"]
    return PRIVILEGES + SINCE_8 + (["VM.Monitor"] if version.startswith("8") else SINCE_9)


def builtin_roles(version):
    every = privileges(version)

    def those(*starts):
        return [one for one in every if one.startswith(starts)]
    return {
        "Administrator": every, "NoAccess": [],
        "PVEAdmin": [one for one in every if one not in (
            "Permissions.Modify", "Sys.Modify", "Sys.PowerMgmt", "Realm.Allocate", "Sys.Incoming",
            "Sys.AccessNetwork")],
        "PVEAuditor": [one for one in every if one.endswith(".Audit")],
        "PVEDatastoreAdmin": those("Datastore."),
        "PVEDatastoreUser": ["Datastore.AllocateSpace", "Datastore.Audit"],
        "PVEPoolAdmin": those("Pool."), "PVEPoolUser": ["Pool.Audit"],
        "PVESDNAdmin": those("SDN."),
        "PVESysAdmin": ["Sys.Audit", "Sys.Console", "Sys.Syslog", "Permissions.Modify"],
        "PVETemplateUser": ["VM.Audit", "VM.Clone"],
        "PVEUserAdmin": ["Group.Allocate", "Realm.AllocateUser", "User.Modify"],
        "PVEVMAdmin": those("VM."),
        "PVEVMUser": ["VM.Audit", "VM.Backup", "VM.Config.CDROM", "VM.Config.Cloudinit", "VM.Console",
                      "VM.PowerMgmt"],
    }


def totp(secret, at=None):
    """The six digits of RFC 6238 for a base32 secret."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int((at or time.time()) // 30)), "sha1").digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"


class Access:
    def __init__(self, simulator, root_password):
        self.simulator = simulator
        self.key = secrets.token_bytes(32)
        now = int(time.time())
        self.users = {"root@pam": {"enable": 1, "expire": 0, "email": "admin@example.org", "groups": set()}}
        self.passwords = {"root@pam": root_password}
        self.totp = {}  # user → base32 secret
        self.used_codes = {}  # user → the last step of time whose code was taken: none is taken twice
        self.groups, self.acl = {}, []
        self.tokens = {}  # user → name → {value, privsep, expire, comment}
        self.roles = {name: set(those) for name, those in builtin_roles(simulator.version).items()}
        self.special = set(self.roles)
        self.realms = {"pam": {"type": "pam", "comment": "Linux PAM standard authentication"},
                       "pve": {"type": "pve", "comment": "Proxmox VE authentication server"}}
        self.started = now

    # Making and changing, also for tests.

    def add_user(self, user, password=None, **values):
        groups = set(values.pop("groups", ()))
        self.users[user] = {"enable": 1, "expire": 0, **values, "groups": groups}
        if password:
            self.passwords[user] = password

    def add_token(self, user, name, privsep=1, expire=0, comment=None):
        value = str(secrets.token_hex(4) + "-" + "-".join(secrets.token_hex(2) for _ in range(3))
                    + "-" + secrets.token_hex(6))
        self.tokens.setdefault(user, {})[name] = {
            "value": value, "privsep": privsep, "expire": expire, "comment": comment}
        return f"{user}!{name}={value}"

    def grant(self, path, who, role, propagate=1):
        kind = "group" if who.startswith("@") else "token" if "!" in who else "user"
        self.revoke(path, who, role)
        self.acl.append({"path": path, "ugid": who.lstrip("@"), "type": kind, "roleid": role,
                         "propagate": propagate})

    def revoke(self, path, who, role=None):
        who = who.lstrip("@")
        self.acl = [entry for entry in self.acl if not (
            entry["path"] == path and entry["ugid"] == who and role in (None, entry["roleid"]))]

    # Who is asking.

    def ticket(self, user, prefix="PVE", at=None):
        moment = f"{int(at or time.time()):08X}"
        body = f"{prefix}:{user}:{moment}"
        return body + "::" + base64.b64encode(hmac.digest(self.key, body.encode(), "sha256")).decode()

    def csrf(self, user):
        moment = f"{int(time.time()):08X}"
        return moment + ":" + base64.b64encode(
            hmac.digest(self.key, f"{moment}:{user}:csrf".encode(), "sha256")).decode().rstrip("=")

    def ticket_user(self, ticket, prefix="PVE"):
        body, _, signature = ticket.rpartition("::")
        expected = base64.b64encode(hmac.digest(self.key, body.encode(), "sha256")).decode()
        found = re.fullmatch(rf"{re.escape(prefix)}:(.+):([0-9A-F]{{8}})", body)
        if not found or not hmac.compare_digest(signature, expected):
            return None
        age = time.time() - int(found[2], 16)
        return found[1] if -300 < age < TICKET_LIFE and found[1] in self.users else None

    def check_csrf(self, user, text):
        moment, _, signature = (text or "").partition(":")
        expected = base64.b64encode(
            hmac.digest(self.key, f"{moment}:{user}:csrf".encode(), "sha256")).decode().rstrip("=")
        return hmac.compare_digest(signature, expected) and time.time() - int(moment, 16) < TICKET_LIFE

    def check_enabled(self, user):
        entry = self.users.get(user)
        if entry is None:
            raise Refused(401, f"no such user ('{user}')")
        if not entry["enable"]:
            raise Refused(401, f"user '{user}' is disabled")
        if entry["expire"] and entry["expire"] <= time.time():
            raise Refused(401, f"user '{user}' access expired")

    def authenticate(self, headers, verb, upload=False):
        """The auth id behind a request: USER@REALM, or USER@REALM!TOKEN; 401 else."""
        given = headers.get("Authorization", "")
        if given.startswith("PVEAPIToken"):
            found = re.fullmatch(r"PVEAPIToken[=\s]([^\s!=]+)!([^\s!=]+)=(\S+)", given)
            if not found:
                raise Refused(401, "no tokenid specified")
            user, name, value = found.groups()
            self.check_enabled(user)
            token = self.tokens.get(user, {}).get(name)
            if token is None:
                raise Refused(401, f"no such token '{name}' for user '{user}'")
            if token["expire"] and token["expire"] <= time.time():
                raise Refused(401, f"token '{name}' access expired")
            if not hmac.compare_digest(value.encode(), token["value"].encode()):
                raise Refused(401, "invalid token value!")
            return f"{user}!{name}"
        cookie = re.search(r"PVEAuthCookie=([^;\s]+)", headers.get("Cookie", ""))
        if not cookie:
            raise Refused(401, "No ticket")
        user = self.ticket_user(urllib.parse.unquote(cookie[1]))
        if user is None:
            raise Refused(401, "permission denied - invalid PVE ticket")
        self.check_enabled(user)
        if verb != "GET" and not upload:
            try:
                good = self.check_csrf(user, headers.get("CSRFPreventionToken"))
            except ValueError:
                good = False
            if not good:
                raise Refused(401, "Permission denied - invalid csrf token")
        return user

    def login(self, parameters):
        user = parameters["username"]
        if "@" not in user:
            user += "@" + parameters.get("realm", "pam")
        given, challenge = parameters["password"], parameters.get("tfa-challenge")
        try:
            self.check_enabled(user)
        except Refused:
            raise Refused(401, "authentication failure") from None
        secret = self.totp.get(user)
        if challenge:
            good = self.ticket_user(challenge, "PVE:!tfa!") == user and secret \
                and re.fullmatch(r"totp:\d{6}", given)
            if not good or not self.take_code(user, secret, given[5:]):
                raise Refused(401, "authentication failure")
        elif self.ticket_user(given) == user:
            pass  # renewal: the ticket is its own password
        elif user not in self.passwords or not hmac.compare_digest(
                given.encode(), self.passwords[user].encode()):
            raise Refused(401, "authentication failure")
        elif secret and not self.take_code(user, secret, parameters.get("otp")):
            if self.simulator.version.startswith("7") and not parameters.get("new-format"):
                # The old form, which no answer to a challenge is good for.
                return {"username": user, "ticket": self.ticket(user, "PVE:tfa!"), "NeedTFA": 1,
                        "CSRFPreventionToken": self.csrf(user)}
            return {"username": user, "ticket": self.ticket(user, "PVE:!tfa!"), "NeedTFA": 1,
                    "CSRFPreventionToken": self.csrf(user)}
        return {"username": user, "ticket": self.ticket(user), "CSRFPreventionToken": self.csrf(user),
                "clustername": self.simulator.cluster_name, "cap": {}}

    def take_code(self, user, secret, code):
        """As proxmox-tfa does: one of the steps around now, and each of them once."""
        now = int(time.time() // 30)
        for step in (now - 1, now, now + 1):
            if totp(secret, step * 30) == code and step > self.used_codes.get(user, 0):
                self.used_codes[user] = step
                return True
        return False

    # What an auth id may do.

    def _roles(self, who, path, kind):
        groups = self.users.get(who, {}).get("groups", ()) if kind == "user" else ()
        roles = {}
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts) + 1):
            here = "/" + "/".join(parts[:depth])
            own, grouped = {}, {}
            for entry in self.acl:
                if entry["path"] != here or not (entry["propagate"] or depth == len(parts)):
                    continue
                if entry["type"] == kind and entry["ugid"] == who:
                    own[entry["roleid"]] = entry["propagate"]
                elif entry["type"] == "group" and entry["ugid"] in groups:
                    grouped[entry["roleid"]] = entry["propagate"]
            found = own or grouped
            if found:
                roles = {"NoAccess": 1} if "NoAccess" in found else found
        return roles

    def privileges(self, who, path):
        """Privilege → propagates, as GET /access/permissions tells it for one path."""
        user, _, token = who.partition("!")
        if user == "root@pam" and not token:
            return {one: 1 for one in privileges(self.simulator.version)}
        if token:
            entry = self.tokens.get(user, {}).get(token)
            mine = self.privileges(user, path)
            if not entry or not entry["privsep"]:
                return mine if entry else {}
            own = self._privileges(who, path, "token")
            return {one: propagate for one, propagate in own.items() if one in mine}
        return self._privileges(user, path, "user")

    def _privileges(self, who, path, kind):
        paths = [path]
        found = re.fullmatch(r"/(vms|storage)/([^/]+)", path)
        if found:
            member = int(found[2]) if found[1] == "vms" and found[2].isdigit() else found[2]
            paths += [f"/pool/{name}" for name, pool in self.simulator.pools.items()
                      if member in pool["vms" if found[1] == "vms" else "storage"]]
        result = {}
        for one in paths:
            for role, propagate in self._roles(who, one, kind).items():
                for privilege in self.roles.get(role, ()):
                    result[privilege] = max(propagate, result.get(privilege, 0))
        return result

    def may(self, who, path, *wanted, any=False):
        have = self.privileges(who, path)
        return (_any if any else all)(one in have for one in wanted)

    def require(self, who, path, *wanted, any=False):
        if not self.may(who, path, *wanted, any=any):
            raise denied(path, *wanted)

    def require_root(self, who, message):
        if who != "root@pam":
            raise Refused(403, message) if not isinstance(message, dict) else Refused(
                400, "Parameter verification failed.", message)

    # The `permissions` of a method in the schema.

    def check(self, who, rule, parameters):
        if who == "root@pam":
            return
        if rule is None:
            raise Refused(403, "Permission check failed (user != root@pam)")
        if rule.get("check"):
            if rule.get("user") == "all":
                return
            self._check(who, rule["check"], parameters)

    def _check(self, who, check, parameters):
        kind, rest = check[0], check[1:]
        if kind == "and":
            for one in rest:
                self._check(who, one, parameters)
        elif kind == "or":
            failure = None
            for one in rest:
                try:
                    return self._check(who, one, parameters)
                except Refused as error:
                    failure = error
            raise failure
        elif kind == "perm":
            options = dict(zip(rest[2::2], rest[3::2]))
            if "require_param" in options and options["require_param"] not in parameters:
                raise denied(rest[0], *rest[1])
            path = re.sub(r"\{(.+?)\}", lambda found: str(parameters.get(found[1], "")), rest[0])
            self.require(who, path, *rest[1], any=bool(options.get("any")))
        elif kind == "userid-param":
            user = str(parameters.get("userid", ""))
            if rest[0] == "self":
                if who != user:
                    raise Refused(403, "Permission check failed")
            else:
                self.require(who, f"/access/realm/{user.rpartition('@')[2]}", rest[0])
        elif kind == "userid-group":
            user = str(parameters.get("userid", ""))
            groups = list(self.users.get(user, {}).get("groups", ()))
            if len(rest) > 1 and parameters.get("groups"):
                for group in re.split(r"[,;\s]+", parameters["groups"]):
                    self.require(who, f"/access/groups/{group}", *rest[0], any=True)
            elif not self.may(who, "/access/groups", *rest[0], any=True) and not _any(
                    self.may(who, f"/access/groups/{group}", *rest[0], any=True) for group in groups):
                raise denied("/access/groups", *rest[0])
        elif kind == "perm-modify":
            path = parameters.get("path", "/")
            self.require(who, path, "Permissions.Modify")

