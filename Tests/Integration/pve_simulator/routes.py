"""Which function answers which method of the API."""
from .errors import Refused

ROUTES = {}


def route(verb, *paths):
    def keep(function):
        for path in paths:
            assert (verb, path) not in ROUTES, (verb, path)
            ROUTES[verb, path] = function
        return function
    return keep


class Call:
    """One request after the checks of its parameters and rights."""

    def __init__(self, simulator, who, receiver, verb, path, parameters, upload=None):
        self.simulator, self.who, self.receiver = simulator, who, receiver
        self.verb, self.path, self.parameters, self.upload = verb, path, parameters, upload
        self.extra = {}  # further members of the answer's envelope, such as `total`

    def __getitem__(self, name):
        return self.parameters[name]

    def get(self, name, default=None):
        return self.parameters.get(name, default)

    @property
    def node(self):
        return self.parameters["node"]

    @property
    def access(self):
        return self.simulator.access

    def may(self, path, *privileges, any=False):
        return self.access.may(self.who, path, *privileges, any=any)

    def require(self, path, *privileges, any=False):
        self.access.require(self.who, path, *privileges, any=any)

    def root_only(self, message):
        if self.who != "root@pam":
            raise Refused(500, message)

    def guest(self, kind=None):
        return self.simulator.guest(self["vmid"], self.get("node"), kind or self.path.split("/")[3])

    def storage(self, name=None):
        return self.simulator.storage(name or self["storage"], self.get("node"))

    def task(self, kind, identifier, work):
        return self.simulator.tasks.start(self.node, kind, identifier, self.who, work).upid
