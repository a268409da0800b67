"""A bridge in a namespace of its own, and a cable from it to each host.

The namespace of the bridge is the hub: controller, proxy and requests live there. Nothing reaches
the machine's own network, so that any number of fleets can use the same addresses.
"""

from ground import tool

HUB = "10.77.0.1"
PREFIX = 24
FIRST_HOST = 11


class Network:
    def __init__(self, ground):
        self.ground = ground
        self.hub = ground.netns("hub")
        self.hub_group = ground.group("hub")
        self.links = {}
        self._ip(self.hub, "link", "add", "br0", "type", "bridge")
        self._ip(self.hub, "address", "add", f"{HUB}/{PREFIX}", "dev", "br0")
        self._ip(self.hub, "link", "set", "br0", "up")

    def attach(self, name):
        """A namespace with an address for the host `name`."""
        link = Link(self, name, f"10.77.0.{FIRST_HOST + len(self.links)}", f"port{len(self.links)}")
        self.links[name] = link
        return link

    def from_hub(self, argv):
        """The command line of a command that runs in the hub's namespace."""
        return ["nsenter", f"--net=/run/netns/{self.hub}", *map(str, argv)]

    @staticmethod
    def _ip(namespace, *argv):
        return tool("ip", "-n", namespace, *argv)


class Link:
    """One host's cable; `port` is its end at the bridge, eth0 the one in the host."""

    def __init__(self, network, name, address, port):
        self.hub, self.address, self.port = network.hub, address, port
        self.namespace = network.ground.netns(name)
        tool("ip", "-n", self.hub, "link", "add", port, "type", "veth", "peer", "name", "eth0",
             "netns", self.namespace)
        tool("ip", "-n", self.hub, "link", "set", port, "master", "br0", "up")
        tool("ip", "-n", self.namespace, "address", "add", f"{address}/{PREFIX}", "dev", "eth0")
        tool("ip", "-n", self.namespace, "link", "set", "eth0", "up")

    def cut(self):
        """Nothing gets through any more, and nobody is told."""
        self._drop("")

    def lose(self, percent):
        """So much of the packets vanish, each way, by chance."""
        self._drop(f"numgen random mod 100 < {percent}")

    def heal(self):
        """Neither cut, lossy nor slow any more."""
        for namespace in (self.hub, self.namespace):
            self._nft(namespace, f"delete table inet {self.port}", check=False)
        for namespace, device in self._ends():
            tool("tc", "-n", namespace, "qdisc", "del", "dev", device, "root", check=False)

    def shape(self, rate):
        """At most so much each way, in tc's words, such as 2mbit; what does not fit waits in line."""
        for namespace, device in self._ends():
            tool("tc", "-n", namespace, "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate,
                 "burst", "32kb", "latency", "400ms")

    def _ends(self):
        return ((self.hub, self.port), (self.namespace, "eth0"))

    def _drop(self, when):
        # Dropped where they arrive: a drop where they leave would be told to the sender.
        for namespace, who in ((self.hub, f"ip saddr {self.address}"), (self.namespace, 'iifname "eth0"')):
            self._nft(namespace, f"add table inet {self.port}")
            self._nft(namespace, f"flush table inet {self.port}")
            self._nft(namespace, f"add chain inet {self.port} in "
                                 "{ type filter hook input priority 0; }")
            self._nft(namespace, f"add rule inet {self.port} in {who} {when} drop")

    @staticmethod
    def _nft(namespace, command, check=True):
        tool("nsenter", f"--net=/run/netns/{namespace}", "nft", command, check=check)
