import { z } from "zod";

/** Names a transfer, a token, a watch or an upload in this daemon alone; 16 lowercase letters and digits, drawn at random. */
export const Id = z.string().regex(/^[a-z0-9]{16}$/, "an id has 16 lowercase letters and digits");
export const ByteCount = z.int().nonnegative().meta({ description: "bytes" });
export const Rate = z.int().nonnegative().meta({ description: "bytes per second" });
/** A moment, in milliseconds since 1970, UTC. */
export const TimeMs = z.int().nonnegative().meta({ description: "milliseconds since 1970, UTC" });
export const Count = z.int().nonnegative();
/** An absolute path on the daemon's computer. */
export const Path = z.string().min(1).max(4096);
export const ErrorCode = z.string().regex(/^E_[A-Z_]+$/);
/** What went wrong, as the table of errors has it. */
export const Failure = z.object({
  code: ErrorCode,
  what: z.string(),
  why: z.string(),
  fix: z.string(),
});
export type Failure = z.infer<typeof Failure>;
export const Empty = z.object({});
