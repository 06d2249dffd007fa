/**
 * Every error that Backroom raises on purpose carries a stable code from this one table.
 * `exit` is the process exit status, `retry` says what a caller may do about it
 * (never: the same call fails again; later: it may pass after a while; elsewhere: ask another peer or relay),
 * `why` and `fix` are the default sentences that people read after `why:` and `try:`.
 * `docs/ERRORS.md` is held equal to this table by a test.
 */
export const ERROR_TABLE = {
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
    fix: "run again with --verbose and report what it prints",
  },
  E_INTERRUPTED: {
    exit: 130,
    retry: "later",
    why: "the command was stopped before it ended",
    fix: "run the same command again: it goes on where it stopped",
  },
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
  // --- net ------------------------------------------------------------------------------------------
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
