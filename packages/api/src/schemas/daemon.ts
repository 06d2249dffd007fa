import { z } from "zod";
import { BROWSERS, SCOPES } from "../words.ts";
import { ByteCount, Count, ErrorCode, Id, Rate, TimeMs } from "./common.ts";

export const DaemonStatus = z.object({
  version: z.string(),
  pid: Count,
  startedMs: TimeMs,
  /** `http://127.0.0.1:PORT/`, where the page is served; null where it is not. */
  page: z.string().nullable(),
  transferCount: Count,
  activeCount: Count,
  downloadRate: Rate,
  uploadRate: Rate,
  memoryBytes: ByteCount,
});

export const Health = z.object({ ok: z.boolean() });

/** RFC 9457, with the project's code, sentences and exit status. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: ErrorCode,
  detail: z.string(),
  fix: z.string(),
  exit: z.int(),
  retry: z.enum(["never", "later", "elsewhere"]),
  /** Where the input is wrong: what, and how. */
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;

/** What a bearer of a token may do. `read`: look, links aside. `links`: see links. `write`: change transfers, watches. `admin`: everything. */
export const Scope = z.enum(SCOPES);
export type Scope = z.infer<typeof Scope>;

const Browser = z.enum(BROWSERS);

export const TokenEntry = z.object({
  id: Id,
  name: z.string(),
  /** Of the page that it was made for; null for one that somebody made for a program. */
  browser: Browser.nullable(),
  scopes: z.array(Scope),
  createdMs: TimeMs,
  usedMs: TimeMs.nullable(),
  expiresMs: TimeMs.nullable(),
});
export const TokenList = z.object({ tokens: z.array(TokenEntry) });
export const NewToken = z.object({
  name: z.string().min(1).max(100),
  scopes: z.array(Scope).min(1),
  expiresMs: TimeMs.optional(),
});
/** The secret is shown this once; only its hash is kept. */
export const MadeToken = z.object({ token: TokenEntry, secret: z.string() });

/** `http://127.0.0.1:PORT/#code=…`. The code is good for one session, and not for long; browsers keep what follows `#` to themselves. */
export const PageUrl = z.object({ url: z.string(), expiresMs: TimeMs });
export const SessionCode = z.object({
  code: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "a code has 43 letters and digits"),
  browser: Browser.default("browser"),
});

/** `fail`: must be mended. `warn`: works, with less. `unknown` is no failure. */
export const DoctorRow = z.object({
  check: z.string(),
  status: z.enum(["ok", "warn", "fail", "unknown"]),
  found: z.string(),
  minimum: z.string().nullable(),
  recommended: z.string().nullable(),
  /** What to do about it; null where nothing is to be done. */
  fix: z.string().nullable(),
});
export const DoctorReport = z.object({
  rows: z.array(DoctorRow).meta({
    description:
      "for each check its name in `check`, `status` (ok, warn, fail, unknown), `found`, `minimum` and `recommended` where there are such, and in `fix` what to do",
  }),
  status: z.enum(["ok", "warn", "fail"]).meta({ description: "the worst of them; unknown is no failure" }),
});
export type DoctorReport = z.infer<typeof DoctorReport>;

/** A setting: where its value comes from, from what is strongest to what is weakest. */
export const SettingOrigin = z.enum(["flag", "environment", "file", "default"]);
const SettingValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const SettingEntry = z.object({
  key: z.string(),
  /** In force now; without its login where it is a proxy. Null: none. */
  value: SettingValue,
  origin: SettingOrigin,
  default: SettingValue,
  /** What it may be, as the end of a sentence that begins with “it is”. */
  expects: z.string(),
  /** The variable of the environment that sets it. */
  environment: z.string(),
  description: z.string(),
  /** When a change counts: at once, or from the daemon's next start. */
  takesHold: z.enum(["now", "restart"]),
});
/** Something in the settings file that is not taken; a line counts from 1. */
export const SettingProblem = z.object({ key: z.string(), line: z.int().nullable(), text: z.string() });
export const SettingList = z.object({
  file: z.string(),
  settings: z.array(SettingEntry).meta({ description: "each as `config get` has it" }),
  problems: z
    .array(SettingProblem)
    .meta({ description: "what in the file is not taken: `key`, `line` (or null), `text`" }),
});
export const SettingChange = z.object({
  /** Null goes back to the default. */
  value: SettingValue,
});

/** Slower than this a relay holds up whoever's circuit leads through it: a full frame a second. */
export const RELAY_RATE_LEAST = 65_536;
/** Null: no limit. 0: nothing. In bytes of shares' packs; what circuits add comes on top. What is relayed for others is counted apart. */
export const Limits = z.object({
  downloadRate: Rate.nullable(),
  uploadRate: Rate.nullable(),
  /** What leaves the relay, as much as comes in; with 0 it does not run. */
  relayRate: Rate.nullable().refine((rate) => rate === null || rate === 0 || rate >= RELAY_RATE_LEAST, {
    message: `a relay passes on ${RELAY_RATE_LEAST} bytes a second at least, or does not run (0)`,
  }),
});
export type Limits = z.infer<typeof Limits>;
const Hour = z.int().min(0).max(23);
/** In this computer's time. Where several rules fit, the first counts; where none fits, the limits of always do. Days: 0 is Monday. */
export const ScheduleRule = z.object({
  days: z.array(z.int().min(0).max(6)).min(1),
  fromHour: Hour,
  /** Up to but without; less than or equal to `fromHour` goes past midnight. */
  toHour: z.int().min(0).max(24),
  /** What is left out is then as always. */
  limits: Limits.partial(),
});
export type ScheduleRule = z.infer<typeof ScheduleRule>;
export const LimitsStatus = z.object({
  always: Limits,
  schedule: z.array(ScheduleRule).max(100),
  /** What holds now. */
  now: Limits,
});
/** Strict inside, too: a limit whose name was mistyped would be no limit. */
export const LimitsChange = z.object({
  always: Limits.partial().strict().optional(),
  schedule: z
    .array(ScheduleRule.extend({ limits: Limits.partial().strict() }).strict())
    .max(100)
    .optional(),
});

export const LogLines = z.object({ lines: z.array(z.string()) });
export const LogQuery = z.object({ lines: z.coerce.number().int().min(1).max(10_000).default(200) });

export const UploadMade = z.object({ id: Id });
export const UploadFileQuery = z.object({
  /** Inside the share, with `/`. */
  path: z.string().min(1).max(4096),
  /** Of the whole file, where it is known: whether it fits is then known before it is sent. */
  length: z.coerce.number().int().nonnegative().optional(),
  mtimeMs: z.coerce.number().int().nonnegative().optional(),
});
export const UploadedFile = z.object({ size: ByteCount });

export const ContentRequest = z.object({ path: z.string().min(1).max(4096) });
/** On the content port, signed, for a while. */
export const ContentUrl = z.object({ url: z.string(), expiresMs: TimeMs });
