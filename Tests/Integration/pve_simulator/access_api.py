"""Users, groups, roles, realms, tokens, second factors and rights through the API."""
from .access import privileges
from .errors import Refused
from .formats import split_list
from .routes import route


def saved(function):
    def run(call):
        result = function(call)
        call.simulator.state.write_files()
        return result
    return run


@route("GET", "/access/ticket")
def ticket_page(call):
    return None


@route("POST", "/access/ticket")
def ticket(call):
    if call.get("path"):
        raise Refused(501, "the simulator does not check privileges by ticket")
    return call.access.login(call.parameters)


@route("PUT", "/access/password")
def password(call):
    if "!" in call.who:
        raise Refused(403, "API tokens are not allowed to access this endpoint")
    call.access.passwords[call["userid"]] = call["password"]


@route("GET", "/access/permissions")
def permissions(call):
    access = call.access
    who = call.get("userid", call.who)
    if who != call.who and who.split("!")[0] != call.who:
        call.require("/access", "Sys.Audit")
    if "path" in call.parameters:
        paths = [call["path"]]
    else:
        paths = {"/", "/access", "/access/groups", "/access/realm", "/nodes", "/pool", "/sdn", "/storage", "/vms"}
        if not call.simulator.version.startswith("7"):
            paths.add("/mapping")
        paths |= {entry["path"] for entry in access.acl}
    result = {path: access.privileges(who, path) for path in sorted(paths)}
    return {path: found for path, found in result.items() if found or "path" in call.parameters}


# Users and tokens.

def user_of(call):
    name = call["userid"]
    if name not in call.access.users:
        raise Refused(500, f"no such user ('{name}')")
    return call.access.users[name]


def shown(values):
    return {key: value for key, value in values.items() if key not in ("groups",) and value not in ("", None)}


@route("GET", "/access/users")
def users(call):
    result = []
    for name, entry in call.access.users.items():
        if not (name == call.who.split("!")[0] or call.may("/access/groups", "User.Modify", "Sys.Audit", any=True)
                or any(call.may(f"/access/groups/{group}", "User.Modify", "Sys.Audit", any=True)
                       for group in entry["groups"])):
            continue
        if "enabled" in call.parameters and bool(call["enabled"]) != bool(entry["enable"]):
            continue
        one = {"userid": name, **shown(entry), "realm-type": call.access.realms.get(
            name.rpartition("@")[2], {}).get("type", "")}
        if call.get("full"):
            one["groups"] = ",".join(sorted(entry["groups"]))
            one["tokens"] = [{"tokenid": token, "expire": values["expire"], "privsep": values["privsep"],
                              **({"comment": values["comment"]} if values["comment"] else {})}
                             for token, values in call.access.tokens.get(name, {}).items()]
        result.append(one)
    return result


@route("POST", "/access/users")
@saved
def add_user(call):
    name, access = call["userid"], call.access
    if name in access.users:
        raise Refused(500, f"create user failed: user '{name}' already exists")
    realm = name.rpartition("@")[2]
    if realm not in access.realms:
        raise Refused(500, f"create user failed: domain '{realm}' does not exist")
    values = {key: call[key] for key in ("comment", "email", "enable", "expire", "firstname", "lastname", "keys")
              if key in call.parameters}
    groups = split_list(call.get("groups", ""))
    check_groups(call, groups)
    access.add_user(name, call.get("password"), groups=groups, **values)


def check_groups(call, groups):
    for group in groups:
        if group not in call.access.groups:
            raise Refused(500, f"no such group '{group}'")


@route("GET", "/access/users/{userid}")
def show_user(call):
    entry = user_of(call)
    tokens = {name: {key: one[key] for key in ("expire", "privsep", "comment") if one[key] is not None}
              for name, one in call.access.tokens.get(call["userid"], {}).items()}
    return {**shown(entry), "groups": sorted(entry["groups"]), **({"tokens": tokens} if tokens else {})}


@route("PUT", "/access/users/{userid}")
@saved
def change_user(call):
    entry = user_of(call)
    for key in ("comment", "email", "enable", "expire", "firstname", "lastname", "keys"):
        if key in call.parameters:
            entry[key] = call[key]
    if "groups" in call.parameters:
        groups = split_list(call["groups"])
        check_groups(call, groups)
        entry["groups"] = (entry["groups"] if call.get("append") else set()) | set(groups)


@route("DELETE", "/access/users/{userid}")
@saved
def delete_user(call):
    user_of(call)
    access, name = call.access, call["userid"]
    if name == "root@pam":
        raise Refused(500, "delete user failed: root@pam cannot be deleted")
    del access.users[name]
    access.tokens.pop(name, None)
    access.acl = [entry for entry in access.acl if entry["ugid"].split("!")[0] != name or entry["type"] == "group"]


def may_see_tokens(call):
    if call.who.split("!")[0] != call["userid"]:
        call.require("/access/groups", "User.Modify")


def own_tokens(call):
    user_of(call)
    return call.access.tokens.setdefault(call["userid"], {})


def token_of(call):
    found = own_tokens(call)
    if call["tokenid"] not in found:
        raise Refused(500, f"no such token '{call['tokenid']}' for user '{call['userid']}'")
    return found[call["tokenid"]]


def token_info(entry):
    return {key: entry[key] for key in ("expire", "privsep", "comment") if entry[key] is not None}


@route("GET", "/access/users/{userid}/token")
def tokens(call):
    may_see_tokens(call)
    return [{"tokenid": name, **token_info(entry)} for name, entry in own_tokens(call).items()]


@route("GET", "/access/users/{userid}/token/{tokenid}")
def show_token(call):
    may_see_tokens(call)
    return token_info(token_of(call))


@route("POST", "/access/users/{userid}/token/{tokenid}")
@saved
def add_token(call):
    if call["tokenid"] in own_tokens(call):
        raise Refused(400, "Parameter verification failed.", {"tokenid": "Token already exists."})
    full = call.access.add_token(call["userid"], call["tokenid"], call.get("privsep", 1), call.get("expire", 0),
                                 call.get("comment"))
    name, _, value = full.partition("=")
    return {"full-tokenid": name, "value": value, "info": token_info(token_of(call))}


@route("PUT", "/access/users/{userid}/token/{tokenid}")
@saved
def change_token(call):
    entry = token_of(call)
    entry.update({key: call[key] for key in ("expire", "privsep", "comment") if key in call.parameters})
    return token_info(entry)


@route("DELETE", "/access/users/{userid}/token/{tokenid}")
@saved
def delete_token(call):
    token_of(call)
    del call.access.tokens[call["userid"]][call["tokenid"]]
    name = f"{call['userid']}!{call['tokenid']}"
    call.access.acl = [entry for entry in call.access.acl if entry["ugid"] != name]


@route("GET", "/access/tfa")
def second_factors(call):
    see_all = call.may("/access/groups", "User.Modify", "Sys.Audit", any=True)
    return [{"userid": user, "entries": [{"id": "totp-0", "type": "totp", "description": "telephone", "enable": 1,
                                          "created": call.access.started}]}
            for user in call.access.totp if see_all or user == call.who]


@route("GET", "/access/tfa/{userid}")
def user_factors(call):
    return [{"id": "totp-0", "type": "totp", "description": "telephone", "enable": 1,
             "created": call.access.started}] if call["userid"] in call.access.totp else []


# Groups, roles, rights, realms.

@route("GET", "/access/groups")
def groups(call):
    return [{"groupid": name, **shown(entry),
             "users": ",".join(sorted(user for user, one in call.access.users.items() if name in one["groups"]))}
            for name, entry in call.access.groups.items()
            if call.may(f"/access/groups/{name}", "User.Modify", "Sys.Audit", "Group.Allocate", any=True)]


@route("POST", "/access/groups")
@saved
def add_group(call):
    if call["groupid"] in call.access.groups:
        raise Refused(500, f"create group failed: group '{call['groupid']}' already exists")
    call.access.groups[call["groupid"]] = {"comment": call.get("comment", "")}


def group_of(call):
    if call["groupid"] not in call.access.groups:
        raise Refused(500, f"group '{call['groupid']}' does not exist")
    return call.access.groups[call["groupid"]]


@route("GET", "/access/groups/{groupid}")
def show_group(call):
    return {**shown(group_of(call)), "members": sorted(
        user for user, one in call.access.users.items() if call["groupid"] in one["groups"])}


@route("PUT", "/access/groups/{groupid}")
@saved
def change_group(call):
    if "comment" in call.parameters:
        group_of(call)["comment"] = call["comment"]


@route("DELETE", "/access/groups/{groupid}")
@saved
def delete_group(call):
    group_of(call)
    del call.access.groups[call["groupid"]]
    for user in call.access.users.values():
        user["groups"].discard(call["groupid"])
    call.access.acl = [one for one in call.access.acl if (one["type"], one["ugid"]) != ("group", call["groupid"])]


def checked(call):
    known = privileges(call.simulator.version)
    names = split_list(call.get("privs", ""))
    for name in names:
        if name not in known:
            raise Refused(400, "Parameter verification failed.", {"privs": f"invalid format - invalid privilege '{name}'\n"})
    return set(names)


@route("GET", "/access/roles")
def roles(call):
    return [{"roleid": name, "privs": ",".join(sorted(those)), "special": 1 if name in call.access.special else 0}
            for name, those in call.access.roles.items()]


@route("POST", "/access/roles")
@saved
def add_role(call):
    name = call["roleid"]
    if name in call.access.roles:
        raise Refused(500, f"create role failed: role '{name}' already exists")
    if name.startswith("PVE"):
        raise Refused(400, "Parameter verification failed.",
                      {"roleid": "cannot use role ID starting with the (case-insensitive) 'PVE' namespace"})
    call.access.roles[name] = checked(call)


def role_of(call, change=False):
    name = call["roleid"]
    if name not in call.access.roles:
        raise Refused(500, f"role '{name}' does not exist")
    if change and name in call.access.special:
        raise Refused(500, f"auto-generated role '{name}' cannot be modified")
    return call.access.roles[name]


@route("GET", "/access/roles/{roleid}")
def show_role(call):
    return {name: 1 for name in sorted(role_of(call))}


@route("PUT", "/access/roles/{roleid}")
@saved
def change_role(call):
    old = role_of(call, change=True)
    call.access.roles[call["roleid"]] = (old if call.get("append") else set()) | checked(call)


@route("DELETE", "/access/roles/{roleid}")
@saved
def delete_role(call):
    role_of(call, change=True)
    del call.access.roles[call["roleid"]]


@route("GET", "/access/acl")
def acl(call):
    see_all = call.may("/access", "Sys.Audit")
    return [dict(entry) for entry in call.access.acl
            if see_all or call.may(entry["path"], "Permissions.Modify")]


@route("PUT", "/access/acl")
@saved
def change_acl(call):
    access, path = call.access, call["path"]
    if not path.startswith("/"):
        raise Refused(400, "Parameter verification failed.", {"path": f"invalid ACL path '{path}'"})
    path = "/" + path.strip("/")
    who = ["@" + one for one in split_list(call.get("groups", ""))] + split_list(call.get("users", "")) \
        + split_list(call.get("tokens", ""))
    if not who:
        raise Refused(400, "Parameter verification failed.", {
            "users": "either 'users', 'groups' or 'tokens' is required."})
    for role in split_list(call["roles"]):
        if role not in access.roles:
            raise Refused(500, f"role '{role}' does not exist")
        for one in who:
            user, _, token = one.partition("!")
            known = one[1:] in access.groups if one.startswith("@") else token in access.tokens.get(user, {}) \
                if token else one in access.users
            if not known:
                raise Refused(500, f"no such {'group' if one[0] == '@' else 'token' if token else 'user'} '{one.lstrip('@')}'")
            if call.get("delete"):
                access.revoke(path, one, role)
            else:
                access.grant(path, one, role, call.get("propagate", 1))


@route("GET", "/access/domains")
def realms(call):
    return [{"realm": name, **{key: value for key, value in entry.items() if key in ("type", "comment", "default", "tfa")}}
            for name, entry in call.access.realms.items()]


def realm_of(call):
    if call["realm"] not in call.access.realms:
        raise Refused(500, f"domain '{call['realm']}' does not exist")
    return call.access.realms[call["realm"]]


@route("GET", "/access/domains/{realm}")
def show_realm(call):
    return {key: value for key, value in realm_of(call).items() if key not in ("password", "client-key")}


@route("POST", "/access/domains")
@saved
def add_realm(call):
    if call["realm"] in call.access.realms:
        raise Refused(500, f"domain '{call['realm']}' already exists")
    call.access.realms[call["realm"]] = {key: value for key, value in call.parameters.items() if key != "realm"}


@route("PUT", "/access/domains/{realm}")
@saved
def change_realm(call):
    entry = realm_of(call)
    for key in split_list(call.get("delete", "")):
        entry.pop(key, None)
    entry.update({key: value for key, value in call.parameters.items() if key not in ("realm", "delete", "digest")})


@route("DELETE", "/access/domains/{realm}")
@saved
def delete_realm(call):
    realm_of(call)
    if call["realm"] in ("pam", "pve"):
        raise Refused(500, f"unable to delete builtin domain '{call['realm']}'")
    del call.access.realms[call["realm"]]
