/**
 * Every error that Backroom raises on purpose carries a stable code from this one table.
 * `exit` is the process exit status, `retry` says what a caller may do about it
 * (never: the same call fails again; later: it may pass after a while; elsewhere: ask another peer or relay),
 * `why` and `fix` are the default sentences that people read after `why:` and `try:`.
 * `docs/ERRORS.md` is held equal to this table by a test.
 *
 * One table, though a long one, by areas in the order of the layers: codes are for programs, so no two may mean the same, and sentences are for people, so all of them
 * are to sound alike. Both are seen where all of them stand.
 */
export const ERROR_TABLE = {
  // --- any program -----------------------------------------------------------------------------------
  E_USAGE: {
    exit: 2,
    retry: "never",
    why: "the command line does not fit the command",
    fix: "run the command with --help",
  },
  E_INTERNAL: {
    exit: 1,
    retry: "never",
    why: "something happened that the program does not expect",
    fix: "set BACKROOM_DEBUG=1, run it again, and report what it prints",
  },
  E_INTERRUPTED: {
    exit: 130,
    retry: "later",
    why: "the command was stopped before it ended",
    fix: "run the same command again: it goes on where it stopped",
  },

  // --- this computer ---------------------------------------------------------------------------------
  E_MACHINE: {
    exit: 7,
    retry: "never",
    why: "this computer is below what Backroom needs",
    fix: "see what is missing, and what to do about it: backroom doctor",
  },
  E_DOCTOR: {
    exit: 7,
    retry: "never",
    why: "something on this computer keeps Backroom from working as it should",
    fix: "do what stands below each check that failed, then look again: backroom doctor",
  },
  E_SETTING: {
    exit: 3,
    retry: "never",
    why: "there is no such setting, or its value does not fit",
    fix: "see every setting, and what it may be: backroom config list",
  },
  E_SERVICE: {
    exit: 5,
    retry: "never",
    why: "the system's manager of services does not do what it was asked for",
    fix: "see the file with `backroom service install --print` and install it by hand, or start the daemon yourself: backroom daemon start",
  },

  // --- bytes and keys --------------------------------------------------------------------------------
  E_BENCODE: {
    exit: 6,
    retry: "elsewhere",
    why: "the bytes are not canonical bencode",
    fix: "get the data from another source",
  },
  E_DECODE: {
    exit: 6,
    retry: "elsewhere",
    why: "the bytes do not have the form that the protocol asks for",
    fix: "get the data from another source",
  },
  E_CRYPTO: {
    exit: 6,
    retry: "elsewhere",
    why: "the data did not authenticate, so it is damaged, forged, or for another key",
    fix: "get the data from another source, or check the key",
  },

  // --- links and invites -----------------------------------------------------------------------------
  E_LINK: {
    exit: 3,
    retry: "never",
    why: "the text is not a whole Backroom link",
    fix: "copy the link again, all of it, from `backroom:` to its last letter",
  },
  E_LINK_CHECKSUM: {
    exit: 3,
    retry: "never",
    why: "links and invites end in a checksum, and it does not fit: letters were mistyped or lost",
    fix: "copy it again instead of typing it, or compare it letter by letter",
  },
  E_LINK_VERSION: {
    exit: 3,
    retry: "never",
    why: "the link or invite was made by a newer version of Backroom than this one",
    fix: "upgrade Backroom, then use the same text again",
  },
  E_INVITE: {
    exit: 3,
    retry: "never",
    why: "the text is not a whole Backroom invite",
    fix: "copy the invite again, all of it, from `backroom-join:` to its last letter",
  },

  // --- packs and files -------------------------------------------------------------------------------
  E_INPUT: {
    exit: 5,
    retry: "never",
    why: "something that was to be shared is not there or cannot be read",
    fix: "check the path and its permissions",
  },
  E_INPUT_NAMES: {
    exit: 3,
    retry: "never",
    why: "a name among the files could not be created again on another computer",
    fix: "rename it, or share the files in a folder of their own",
  },
  E_FILE_CHANGED: {
    exit: 5,
    retry: "later",
    why: "a file changed while it was being read, so what was sealed would not be what is there",
    fix: "wait until nothing writes to the files, then seal again",
  },
  E_PACK: {
    exit: 6,
    retry: "never",
    why: "the pack authenticates but does not have the form that the protocol asks for",
    fix: "ask the sharer to seal it again with a current version",
  },
  E_AGE_HEADER: {
    exit: 6,
    retry: "elsewhere",
    why: "the pack's age header is malformed, too long, or asks for more memory than a pack may",
    fix: "get the pack from another source; a file sealed with other age tools may use a kind of recipient or a work factor that packs do not",
  },
  E_NO_KEY: {
    exit: 3,
    retry: "never",
    why: "none of the keys given opens the pack",
    fix: "check the password, or give the key file of one of those it was sealed to",
  },
  E_KEY_FILE: {
    exit: 3,
    retry: "never",
    why: "a key file holds lines that start with AGE-SECRET-KEY-, comments and empty lines, and nothing else",
    fix: "give a file made with age-keygen; encrypted, plugin and SSH keys are not taken",
  },
  E_RECIPIENT: {
    exit: 3,
    retry: "never",
    why: "a recipient is a whole public key that starts with age1 or age1pq1",
    fix: "copy the recipient again, all of it; SSH keys and plugins are not taken",
  },
  E_WEAK_PASSWORD: {
    exit: 3,
    retry: "never",
    why: "everybody who stores the pack could guess the password on their own computers, as often as they like",
    fix: "use four or more unrelated words, or sixteen random letters and digits",
  },
  E_UNSAFE_PATH: {
    exit: 3,
    retry: "never",
    why: "a name in the share would lie outside its folder, hide what it is, or not exist on every system",
    fix: "rename the file and seal again; a share from somebody else should not be trusted",
  },
  E_TARGET_EXISTS: {
    exit: 5,
    retry: "never",
    why: "there is already something where the share would go, and nothing is ever overwritten",
    fix: "move it away or choose another place",
  },
  E_FILE: {
    exit: 5,
    retry: "later",
    why: "the file system refused to read or write a file",
    fix: "check that the folder exists, is on a disk that works, and may be written",
  },
  E_NO_FILE: {
    exit: 3,
    retry: "never",
    why: "the share holds no file of that path",
    fix: "see what it holds: backroom files ID",
  },
  E_SELECTION: {
    exit: 3,
    retry: "never",
    why: "files are chosen where they are fetched and opened: a share is here whole, and a mirror stores all of it without looking into it",
    fix: "fetch it with a link, a password or a key that opens it: backroom get LINK",
  },

  // --- net -------------------------------------------------------------------------------------------
  E_FRAME: {
    exit: 6,
    retry: "elsewhere",
    why: "the neighbour sent a frame that the protocol does not allow",
    fix: "nothing: another relay is used instead",
  },
  E_CHANNEL: {
    exit: 4,
    retry: "elsewhere",
    why: "the connection to a neighbour broke, or the neighbour did not keep to the protocol",
    fix: "check the internet connection; another relay is used meanwhile",
  },
  E_CHANNEL_SILENT: {
    exit: 4,
    retry: "elsewhere",
    why: "a neighbour does not answer any more, though the connection to it was not closed",
    fix: "check the internet connection; another relay is used meanwhile",
  },
  E_UNREACHABLE: {
    exit: 4,
    retry: "later",
    why: "nothing answered at the addresses of the relay",
    fix: "check the internet connection and the firewall, then try again",
  },
  E_CHANNEL_IDENTITY: {
    exit: 6,
    retry: "elsewhere",
    why: "another node answered than the one that was asked for",
    fix: "get a newer link or invite: the relay may have moved",
  },
  E_OTHER_NETWORK: {
    exit: 4,
    retry: "elsewhere",
    why: "the relay that answered belongs to another network",
    fix: "join the network that the link or invite is for",
  },
  E_PORT_IN_USE: {
    exit: 4,
    retry: "never",
    why: "another program already listens on the port",
    fix: "stop the other program or choose another port",
  },
  E_LISTEN: {
    exit: 4,
    retry: "never",
    why: "the system does not allow listening at that address and port",
    fix: "choose an address of this computer and a port above 1023",
  },
  E_DHT: {
    exit: 4,
    retry: "later",
    why: "too many questions to the DHT are waiting, or its process is stopping",
    fix: "nothing: it is asked again later",
  },
  E_PROXY: {
    exit: 4,
    retry: "later",
    why: "the proxy is not there, speaks no SOCKS 5, or refuses; nothing is ever dialled past it",
    fix: "start the proxy or correct its address; `backroom proxy off` does without it and shows this computer's address to relays",
  },

  // --- store -----------------------------------------------------------------------------------------
  E_DISK_FULL: {
    exit: 5,
    retry: "later",
    why: "the disk is full",
    fix: "make room and try again: what was stored before is kept",
  },
  E_STORE: {
    exit: 5,
    retry: "later",
    why: "a file in the data folder could not be read or written",
    fix: "check the disk and the rights of the data folder",
  },
  E_LOCKED: {
    exit: 5,
    retry: "later",
    why: "another Backroom process uses this data folder",
    fix: "stop the other process, or choose another data folder",
  },

  // --- circuit ---------------------------------------------------------------------------------------
  E_CIRCUIT: {
    exit: 4,
    retry: "elsewhere",
    why: "a relay of the circuit went away, was overloaded or broke the protocol",
    fix: "nothing: another circuit is built through other relays",
  },
  E_REFUSED: {
    exit: 4,
    retry: "elsewhere",
    why: "the relay does not offer what was asked, or not to everybody",
    fix: "try again later, or through another relay",
  },
  E_HANDSHAKE: {
    exit: 6,
    retry: "elsewhere",
    why: "the other side could not prove that it is who was asked for, or does not know the link",
    fix: "nothing: another relay or peer is used instead",
  },

  // --- directory -------------------------------------------------------------------------------------
  E_RELAY_INFO: {
    exit: 6,
    retry: "elsewhere",
    why: "a relay's description of itself is malformed, forged, too old, or of another network",
    fix: "ask another relay; if it happens with every relay, check this computer's clock",
  },
  E_NETWORK_FILE: {
    exit: 3,
    retry: "never",
    why: "the network file does not say what a network file has to say",
    fix: "get the file again from whoever runs the network, or make one with `backroom net create`",
  },
  E_NO_NETWORK: {
    exit: 4,
    retry: "never",
    why: "relays are shared by the members of a network, and one has to be joined first",
    fix: "join one with: backroom net join INVITE; or make one with: backroom net create",
  },
  E_NO_ADDRESS: {
    exit: 4,
    retry: "never",
    why: "a relay that asks nobody whether it can be reached needs an address of its own, and behind a home router the computer has none",
    fix: "let it find out, and help from behind the router: backroom relay auto; or name the address that others reach, and a port that is open: backroom relay --host ADDRESS --port PORT",
  },
  E_NO_RELAYS: {
    exit: 4,
    retry: "later",
    why: "none of the relays that this computer knows for the network answered",
    fix: "check the connection to the internet, or join again with a newer link or invite; --lan and --accept-dht look for other relays",
  },
  E_FEW_SOURCES: {
    exit: 4,
    retry: "later",
    why: "all that is known of the network's relays comes from a single source, which could have named only relays of its own and would then see both ends",
    fix: "join through a second link or invite, or say that one source is enough (in a test network it always is)",
  },
  E_CLOCK: {
    exit: 4,
    retry: "never",
    why: "this computer's clock differs from its neighbours' by more than the network tolerates, so shares could not be found",
    fix: "set the clock (and the time zone) right, best by turning on automatic time",
  },
  E_NETWORK_TOO_SMALL: {
    exit: 4,
    retry: "later",
    why: "the network has too few independent relays for a path that hides this computer's address",
    fix: "try again when more people run relays; the path is never shortened silently",
  },

  // --- tunnel ----------------------------------------------------------------------------------------
  E_LEASE: {
    exit: 6,
    retry: "elsewhere",
    why: "a lease or registration is damaged, forged, over, or for another share",
    fix: "ask another gate for leases",
  },
  E_TUNNEL: {
    exit: 4,
    retry: "elsewhere",
    why: "the tunnel to a peer broke, or the peer could not prove that it holds the link",
    fix: "wait: other peers are tried by themselves",
  },
  E_GATE: {
    exit: 4,
    retry: "elsewhere",
    why: "the gate refused or did not answer",
    fix: "wait: another gate is tried by itself",
  },
  E_NO_SEEDERS: {
    exit: 4,
    retry: "later",
    why: "nobody announces this share now",
    fix: "ask the sharer to keep the share running, and try again later",
  },
  E_DENY_LIST: {
    exit: 3,
    retry: "never",
    why: "each line of the file deny-list in the data folder is a link, or 64 hex digits; # begins a remark",
    fix: "correct the line, or take it out",
  },
  E_DENIED: {
    exit: 3,
    retry: "never",
    why: "whoever runs this computer decided that it does not mirror this share",
    fix: "take it out of the file deny-list in the data folder, if that is yours to decide",
  },

  // --- swarm -----------------------------------------------------------------------------------------
  E_WIRE: {
    exit: 6,
    retry: "elsewhere",
    why: "a peer broke the rules of the peer wire protocol",
    fix: "nothing: the peer was dropped, and others are asked",
  },
  E_HASH: {
    exit: 6,
    retry: "elsewhere",
    why: "the data does not match the pieces root",
    fix: "get the data from another peer",
  },
  E_PEER_ADDRESS: {
    exit: 6,
    retry: "elsewhere",
    why: "a peer sent an address or asked for one, which could give somebody's place away",
    fix: "nothing: the peer was dropped, and others are asked",
  },
  E_PEER_DATA: {
    exit: 6,
    retry: "elsewhere",
    why: "a peer sent data that is not the share's",
    fix: "nothing: the peer was dropped, and others are asked",
  },
  E_PEER_FLOOD: {
    exit: 6,
    retry: "elsewhere",
    why: "a peer asked for more than it may, or for answers that it does not read, or told of seeders without end",
    fix: "nothing: the peer was dropped",
  },
  E_PEER_REFUSED: {
    exit: 4,
    retry: "elsewhere",
    why: "the peer is connected already, is this computer itself, is of another share, or there are enough peers",
    fix: "nothing: other peers are used",
  },
  E_PEER_TIMEOUT: {
    exit: 4,
    retry: "elsewhere",
    why: "a peer did not answer in time, or refuses whatever it is asked for",
    fix: "nothing: others are asked",
  },
  E_SWARM_CLOSED: {
    exit: 4,
    retry: "later",
    why: "the download was stopped before the data was there",
    fix: "start it again: it goes on where it stopped",
  },

  // --- daemon: transfers -----------------------------------------------------------------------------
  E_NO_DAEMON: {
    exit: 4,
    retry: "later",
    why: "the daemon is not running, or does not listen there",
    fix: "start it with: backroom daemon start",
  },
  E_DAEMON: {
    exit: 4,
    retry: "later",
    why: "the daemon was stopped in the middle, or is another version than this program",
    fix: "try again; if it stays, restart it: backroom daemon stop, then backroom daemon start",
  },
  E_NO_TRANSFER: {
    exit: 3,
    retry: "never",
    why: "no transfer of this daemon has that id or name, or more than one has",
    fix: "see what there is, with ids: backroom ls",
  },
  E_SAME_SHARE: {
    exit: 3,
    retry: "never",
    why: "the same share is among the transfers already",
    fix: "go on with the one that is there, or remove it first",
  },
  E_OTHER_PACK: {
    exit: 3,
    retry: "never",
    why: "a link belongs to exactly one pack",
    fix: "use the link that was printed when this pack was sealed",
  },
  E_NOT_HELD: {
    exit: 3,
    retry: "never",
    why: "only what was sealed or fetched whole on this computer can be handed out again",
    fix: "fetch it first: backroom get --seed LINK",
  },
  E_WATCH: {
    exit: 3,
    retry: "never",
    why: "what lands in a watched folder is shared, so it has to be a folder of its own that can be read",
    fix: "make a folder for what is to be shared, and watch that one",
  },
  E_NO_WATCH: {
    exit: 3,
    retry: "never",
    why: "no watch of this daemon has that id",
    fix: "see what is watched, with ids: backroom watch list",
  },
  E_CATALOGUE_DAMAGED: {
    exit: 5,
    retry: "later",
    why: "the file in which the daemon keeps its list of transfers is damaged",
    fix: "restart the daemon: it sets the file aside, goes on from the last backup, and takes up the packs that it finds; check the disk",
  },
  E_CATALOGUE_VERSION: {
    exit: 5,
    retry: "never",
    why: "a newer version of Backroom wrote the list of transfers, and this one would not understand all of it",
    fix: "upgrade Backroom to the version that was used last, or name another data folder",
  },

  // --- daemon: requests ------------------------------------------------------------------------------
  E_REQUEST: {
    exit: 2,
    retry: "never",
    why: "the request does not have the form that the operation asks for",
    fix: "see docs/API.md for what the operation takes",
  },
  E_TOO_LARGE: {
    exit: 3,
    retry: "never",
    why: "more was sent than the daemon takes at once",
    fix: "send less, or in several parts",
  },
  E_CURSOR: {
    exit: 3,
    retry: "never",
    why: "a list goes on only after a place that an earlier page of it named",
    fix: "ask for the list from its beginning",
  },
  E_DOOR: {
    exit: 3,
    retry: "never",
    why: "requests are taken from the daemon's own page and from programs on this computer, never on behalf of another site",
    fix: "open the page at the address that `backroom page` prints",
  },
  E_ACCESS: {
    exit: 3,
    retry: "never",
    why: "the token is missing, wrong, over or revoked; or the code was used before",
    fix: "open the page anew with: backroom page; or make a token with: backroom token add",
  },
  E_SCOPE: {
    exit: 3,
    retry: "never",
    why: "the token is good, but not for this",
    fix: "make one with the scope that docs/API.md names: backroom token add",
  },
  E_GUESSING: {
    exit: 3,
    retry: "later",
    why: "too many wrong tokens came from there",
    fix: "wait a minute; then try again with the right one",
  },
  E_TOKEN: {
    exit: 3,
    retry: "never",
    why: "each token has a name of its own, there are at most a hundred, and one that is revoked is gone",
    fix: "see what there is: backroom token list",
  },
  E_NOT_FOUND: {
    exit: 3,
    retry: "never",
    why: "there is nothing at that address, or not for that method",
    fix: "docs/API.md lists every operation",
  },
  E_NO_UPLOAD: {
    exit: 3,
    retry: "never",
    why: "the upload was shared or dropped already, lay still for too long, or is of an earlier run of the daemon",
    fix: "begin another one",
  },
  E_CONTENT_URL: {
    exit: 3,
    retry: "never",
    why: "addresses of content are good for some hours and for one run of the daemon, and only as they were given",
    fix: "ask for a new one; the page does so when it is loaded again",
  },
  E_BUSY: {
    exit: 4,
    retry: "later",
    why: "the daemon serves as many as it can at once",
    fix: "close other windows and programs that use it, or try again in a while",
  },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly exit: number;
  readonly retry: "never" | "later" | "elsewhere";
  readonly why: string;
  readonly fix: string;
}

export type ErrorCode = keyof typeof ERROR_TABLE;

/** The one error class of the project. `what` must never hold a link, a key, an address or the path of a peer. */
export class BackroomError extends Error {
  readonly code: ErrorCode;
  readonly why: string;
  readonly fix: string;

  constructor(code: ErrorCode, what: string, more: { why?: string; fix?: string; cause?: unknown } = {}) {
    super(what, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "BackroomError";
    this.code = code;
    this.why = more.why ?? ERROR_TABLE[code].why;
    this.fix = more.fix ?? ERROR_TABLE[code].fix;
  }

  get exit(): number {
    return ERROR_TABLE[this.code].exit;
  }

  get retry(): "never" | "later" | "elsewhere" {
    return ERROR_TABLE[this.code].retry;
  }
}

/** True for an error of ours, optionally of one code. */
export function isBackroomError(error: unknown, code?: ErrorCode): error is BackroomError {
  return error instanceof BackroomError && (code === undefined || error.code === code);
}

/** What a log says about anything that was thrown: an error that is not ours is a fault. */
export function codeOf(error: unknown): ErrorCode {
  return isBackroomError(error) ? error.code : "E_INTERNAL";
}
