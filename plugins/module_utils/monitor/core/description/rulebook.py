# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Every rule about what people may describe: a stable id, what it demands, where it comes from.

HF0xx shape of the data, HF1xx cluster, HF2xx sites, HF3xx addresses, HF4xx volumes, HF5xx tags, priorities
and hierarchies. HF6xx (readiness for a move) belongs to ``readiness``. An id is never given to another rule.
"guide" is the LifeKeeper IIS Recovery Kit administration guide.
"""

from __future__ import annotations

from ..values.problems import Rule

_GUIDE_COMM = "guide chapter 2, Install and Configure LifeKeeper and Recovery Kits, step 2"
_GUIDE_IP = "guide chapter 2, Install and Configure LifeKeeper and Recovery Kits, step 3"
_GUIDE_VOLUME = "guide chapter 2, Install and Configure LifeKeeper and Recovery Kits, step 5"
_GUIDE_NAMES = "guide chapter 3, Naming Restrictions"
_GUIDE_IDENTICAL = "guide chapter 3, Identical Primary Backup Web Sites"
_GUIDE_SECURE = "guide chapter 3, Configuring Secure Servers"
_GUIDE_IIS = "guide chapter 3, IIS Configuration"
_GUIDE_CREATE = "guide chapter 4, Create an IIS Resource Hierarchy"
_GUIDE_EXTEND = "guide chapter 4, Extend an IIS Resource Hierarchy"
_GUIDE_DELETE = "guide chapter 4, Delete an IIS Resource Hierarchy"
_TCP = "RFC 9293 section 3.1 (ports are 16 bit numbers)"
_HTTP_SYS = "learn.microsoft.com/en-us/windows/win32/http/http-server-api-ssl-certificate"
_INTRODUCTION = "holdfast.iis documentation, inventory"
_ARBITERS = "docs/arbiters.md"
_RECOVERY = "docs/recovery.md"
_ETCD = "etcd.io/docs/v3.5/faq (why an odd number of members), v3.5/op-guide/configuration (listen-client-urls)"
_UNC = "learn.microsoft.com/en-us/dotnet/standard/io/file-path-formats, UNC paths"
_GUIDE_SHUTDOWN = "guide chapter 2, Install and Configure LifeKeeper and Recovery Kits, step 1"
_GUIDE_SWITCHBACK = "guide chapter 2, step 3b, and chapter 6, IIS Failover"
_GUIDE_CHECKS = "guide chapter 6, Modifying Quick Check Interval, Deep Check Interval and Local Recovery"


def _rule(number: str, text: str, source: str) -> Rule:
    return Rule(id=f"HF{number}", text=text, source=source)


# -- shape -------------------------------------------------------------------------------------------
UNKNOWN_KEY = _rule("001", "Only known keys are written.", _INTRODUCTION)
MISSING_KEY = _rule("002", "Keys without a default are given.", _INTRODUCTION)
WRONG_TYPE = _rule("003", "Each value has the type its key asks for.", _INTRODUCTION)

# -- cluster -----------------------------------------------------------------------------------------
CLUSTER_THERE = _rule("101", "The cluster is described.", _GUIDE_COMM)
CLUSTER_NAME = _rule(
    "102",
    "The cluster's name has 1 to 63 letters, digits and dashes and starts with a letter.",
    _INTRODUCTION,
)
TWO_NODES = _rule("103", "A cluster has at least two nodes.", "guide chapter 1, IIS Overview")
NODE_KNOWN = _rule("104", "Nodes are named as in the inventory.", _INTRODUCTION)
NODE_ON_EVERY_PATH = _rule("105", "Every node has an address on every comm path.", _GUIDE_COMM)
TWO_COMM_PATHS = _rule("106", "Two nodes are connected by at least two comm paths.", _GUIDE_COMM)
COMM_ADDRESS_ONCE = _rule("107", "A comm-path address belongs to one node and one path.", _GUIDE_COMM)
COMM_ADDRESS_IS_IP = _rule("108", "A comm-path address is an IP address.", "RFC 791, RFC 4291")
COMM_NETWORKS_APART = _rule("109", "Each comm path has a network of its own.", _GUIDE_COMM)
COMM_PORT = _rule("110", "The port of the comm paths is a number from 1 to 65535.", _TCP)
ARBITER_KNOWN = _rule("111", "The arbiter is one that this version has.", _INTRODUCTION)
PROFILE_KNOWN = _rule("112", "The timing profile is one that this version has.", _INTRODUCTION)
COMM_PATH_NAME = _rule("113", "A comm path's name has letters, digits and dashes and is used once.", _INTRODUCTION)
NODE_NAME = _rule(
    "114",
    "A node's name has letters, digits, dashes and dots, since it is the DNS name in the node's certificate.",
    "RFC 1123 section 2.1",
)
CLUSTER_FIRST = _rule("115", "The cluster is described before anything in it.", _GUIDE_COMM)

# -- arbiter and timers --------------------------------------------------------------------------------
TIMERS_SAFE = _rule("120", "Whoever loses its permit is off before its votes may be given to another.", _ARBITERS)
ARBITER_TIME = _rule("121", "A permit lasts longer than the arbiter may be silent while it is well.", _ARBITERS)
WITNESS_NAME = _rule("122", "A witness has a name of its own, which is the DNS name in its certificate.", _ARBITERS)
WITNESS_PATH = _rule("123", "A witness has an address on at least one comm path of the cluster.", _ARBITERS)
WITNESS_ADDRESS = _rule("124", "The address of a witness belongs to it alone.", _ARBITERS)
ARBITER_PORT = _rule("125", "The port of a witness is a number from 1 to 65535.", _TCP)
ETCD_MEMBERS = _rule("126", "An etcd has at least three members, so that it outlives the loss of one.", _ETCD)
ETCD_ENDPOINT = _rule("127", "An endpoint of etcd is a URL of a scheme, a host and a port.", _ETCD)
ETCD_SCHEME = _rule("128", "The endpoints of etcd are all https or all http.", _ETCD)
ETCD_PREFIX = _rule("129", "The prefix of the keys in etcd starts with / and does not end with one.", _ARBITERS)
SHARE_UNC = _rule("130", "The folder of a share is named as a UNC path.", _UNC)
LAN_TARGET = _rule("131", "What answers for the clients' network is no part of the cluster.", _ARBITERS)
LAN_TWO_NODES = _rule("132", "The clients' network decides between two nodes only.", _ARBITERS)
LAN_CONSENT = _rule("133", "An arbiter that is weaker than a vote is chosen in writing.", _ARBITERS)
ETCD_PASSWORD = _rule("134", "A password is sent to etcd over https only.", _ETCD)

# -- recovery ------------------------------------------------------------------------------------------
SHUTDOWN_KNOWN = _rule("140", "The shutdown strategy is one that this version has.", _GUIDE_SHUTDOWN)
SWITCHBACK_KNOWN = _rule("141", "The switchback type is one that this version has.", _GUIDE_SWITCHBACK)
SWITCHBACK_STABLE = _rule(
    "142", "A node has been ready for 1 second to 1 day before a group returns to it by itself.", _GUIDE_SWITCHBACK
)
BUDGET = _rule("143", "Restarts and failovers by themselves have a budget from 0 to 100.", _RECOVERY)
BUDGET_WINDOW = _rule("144", "The window of a budget is 1 minute to 1 day.", _RECOVERY)
CHECK_TIME = _rule(
    "145", "Between two checks there is a tenth of a second to 1 hour, or there are none.", _GUIDE_CHECKS
)
CHECK_ORDER = _rule("146", "A deep check does not come more often than a quick check.", _GUIDE_CHECKS)
RECOVERY_OF_GROUP = _rule("147", "Sites that move as one do not differ in what is done by itself.", _RECOVERY)

# -- sites -------------------------------------------------------------------------------------------
SITE_NAME = _rule("201", "A site's name has only letters, digits and dashes.", _GUIDE_NAMES)
SITE_NAME_ONCE = _rule("202", "No two sites have names that differ only in letter case.", _GUIDE_IDENTICAL)
SITE_HAS_BINDING = _rule("203", "A site has at least one binding.", _GUIDE_IIS)
BINDING_HAS_IP = _rule("204", "A binding without an IP address cannot be protected.", _GUIDE_IIS)
BINDING_IP_IS_IP = _rule("205", "The address of a binding is an IP address.", "RFC 791, RFC 4291")
BINDING_PORT = _rule("206", "The port of a binding is a number from 1 to 65535.", _TCP)
HOST_HEADER = _rule(
    "207",
    "A host header is a host name of letters, digits, dashes and dots, or *. and such a name.",
    "RFC 1123 section 2.1",
)
HTTPS_HAS_CERTIFICATE = _rule("208", "An https binding has a certificate.", _GUIDE_SECURE)
THUMBPRINT = _rule(
    "209",
    "A thumbprint has 40 hexadecimal digits in capitals.",
    "learn.microsoft.com/en-us/dotnet/api/system.security.cryptography.x509certificates.x509certificate2.thumbprint",
)
TLS_ONLY_ON_HTTPS = _rule("210", "certificate and sni belong to https bindings.", _GUIDE_SECURE)
BINDING_ONCE = _rule("211", "An address, port and host header belong to one binding.", _GUIDE_IDENTICAL)
ONE_CERTIFICATE = _rule(
    "212", "Without SNI, one address and port have one certificate, whatever the host headers are.", _HTTP_SYS
)
SNI_NEEDS_HOST = _rule("213", "SNI needs a host header to be chosen by.", "RFC 6066 section 3")
CONTENT_ABSOLUTE = _rule("214", r"Content is a whole Windows path such as X:\shop.", _GUIDE_IIS)
CONTENT_NOT_UNC = _rule("215", "Content on a share of another computer cannot be protected.", _GUIDE_IIS)
CONTENT_NOT_URL = _rule("216", "A redirection to a URL cannot be protected.", _GUIDE_IIS)
CONTENT_VOLUME = _rule(
    "217", "Content is on a protected volume, or on drive C: of each node as its own copy.", _GUIDE_IIS
)
BINDING_IP_PROTECTED = _rule("218", "The address of a binding is a protected, switchable address.", _GUIDE_CREATE)
CONTENT_CHARACTERS = _rule(
    "219",
    "A Windows path has none of the characters that Windows forbids and no dots as folders.",
    "learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file",
)
POOL_NAME = _rule(
    "220",
    "An application pool's name has 1 to 64 characters, none of them | < > & \" / or a line break.",
    "learn.microsoft.com/en-us/iis/configuration/system.applicationhost/applicationpools/add",
)
PROTOCOL_KNOWN = _rule("221", "The protocol of a web site's binding is http or https.", _GUIDE_SECURE)
SITE_KIND = _rule("222", "The kind of a site is one that this version protects.", _GUIDE_CREATE)
ONE_PROTOCOL_PER_PORT = _rule("223", "An address and port speak either http or https.", _HTTP_SYS)
SITES_IDENTICAL = _rule(
    "224", "A site is the same on every node, letter case of names and folders included.", _GUIDE_IDENTICAL
)

# -- addresses ---------------------------------------------------------------------------------------
ADDRESS_IS_IP = _rule("301", "A switchable address is an IP address.", "RFC 791, RFC 4291")
PREFIX_LENGTH = _rule("302", "A prefix length fits the address family.", "RFC 4632 section 3.1, RFC 4291")
ADDRESS_OF_HOST = _rule(
    "303", "A switchable address is not the network's own address or its broadcast address.", "RFC 1122"
)
ADDRESS_ONCE = _rule("304", "A switchable address is described once.", _GUIDE_IP)
ADDRESS_NOT_COMM = _rule("305", "A switchable address is not a node's comm-path address.", _GUIDE_COMM)
INTERFACE_PER_NODE = _rule("306", "A switchable address has an interface on every node.", _GUIDE_IP)
ADDRESS_UNICAST = _rule(
    "307", "A switchable address can be reached by clients: no loopback, multicast, link-local.", "RFC 6890"
)
ADDRESS_CANONICAL = _rule(
    "308", "An address is written in its canonical form, so that it is the same text everywhere.", "RFC 5952"
)
PING_TARGET = _rule("309", "What is pinged to test a card is another machine's address.", _INTRODUCTION)
SPARE_CARD = _rule("310", "The spare card is another card than the first, on a node of the cluster.", _GUIDE_IP)

# -- volumes -----------------------------------------------------------------------------------------
DRIVE_LETTER = _rule("401", "A drive is a capital letter and a colon.", _GUIDE_VOLUME)
DRIVE_SYSTEM = _rule("402", "A, B and C belong to the machine and cannot move.", _GUIDE_VOLUME)
DRIVE_ONCE = _rule("403", "A drive letter belongs to one volume.", _GUIDE_IDENTICAL)
DISK_ONCE = _rule("404", "A disk belongs to one volume.", _GUIDE_VOLUME)
DISK_NAMED = _rule("405", "A volume names its disk by the disk's unique id.", _GUIDE_VOLUME)
DRIVER_KNOWN = _rule("406", "The driver of a volume is one that this version has.", _GUIDE_VOLUME)

# -- tags, priorities, hierarchies -------------------------------------------------------------------
TAG = _rule(
    "501",
    "A tag has 1 to 64 letters, digits, dots, dashes and underscores, first a letter or digit.",
    _GUIDE_CREATE,
)
TAG_ONCE = _rule("502", "No two tags differ only in letter case.", _GUIDE_CREATE)
PRIORITY_NUMBER = _rule("503", "A priority is a whole number from 1.", _GUIDE_EXTEND)
PRIORITY_EVERY_NODE = _rule("504", "Priorities name every node of the cluster.", _GUIDE_EXTEND)
PRIORITY_NODE_KNOWN = _rule("505", "Priorities name only nodes of the cluster.", _GUIDE_EXTEND)
PRIORITY_ONCE = _rule("506", "No two nodes have the same priority.", _GUIDE_EXTEND)
PRIORITY_ROW = _rule("507", "Priorities count 1, 2, 3 and so on without a gap.", _GUIDE_EXTEND)
PRIORITIES_MATCH = _rule("508", "A site has the same priorities as the addresses and volumes it depends on.", _GUIDE_IP)
DRAIN = _rule("509", "The time to drain is a number of seconds from 0 to 3600.", _INTRODUCTION)
SITE_THERE = _rule("510", "The site exists in IIS before its hierarchy.", _GUIDE_CREATE)
DEPENDENCY_THERE = _rule("511", "What a hierarchy depends on exists before it.", _GUIDE_CREATE)
IN_USE = _rule("512", "Nothing is removed that a hierarchy still needs.", _GUIDE_DELETE)
SITE_STAYS = _rule("513", "A protected site is renamed by protecting it anew.", _GUIDE_NAMES)
SITE_PROTECTED_ONCE = _rule("514", "A site belongs to one hierarchy.", _GUIDE_CREATE)

RULES: tuple[Rule, ...] = tuple(
    sorted((v for v in list(globals().values()) if isinstance(v, Rule)), key=lambda r: r.id)
)
"""All rules of this file in the order of their ids."""
