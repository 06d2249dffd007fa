import type { AddCommand } from "../session.ts";

export interface CommandEntry {
  /** The word that people write, then its aliases; the command itself says the same (a test looks). */
  readonly names: readonly [string, ...string[]];
  readonly group: string;
  /** For other programs, and nothing that people would write. */
  readonly isHidden?: true;
  /** Also on a computer with too little memory: to find out about that, or to get out of it. */
  readonly anywhere?: true;
  load(): Promise<AddCommand>;
}

const FILES = "Share and fetch:";
const TRANSFERS = "Transfers:";
const NETWORK = "The network:";
const COMPUTER = "This computer:";
const MORE = "More:";

/**
 * Every command of the program in the order of its help. Only the one that runs is loaded, and it loads what it works with when it works: all of them
 * together take longer than most commands do.
 */
export const COMMANDS: readonly CommandEntry[] = [
  { names: ["share"], group: FILES, load: async () => (await import("./share.ts")).addShare },
  { names: ["get"], group: FILES, load: async () => (await import("./get.ts")).addGet },
  { names: ["mirror"], group: FILES, load: async () => (await import("./mirror.ts")).addMirror },
  { names: ["link"], group: FILES, load: async () => (await import("./link.ts")).addLink },
  { names: ["watch"], group: FILES, load: async () => (await import("./watch.ts")).addWatch },
  { names: ["page"], group: FILES, load: async () => (await import("./page.ts")).addPage },
  { names: ["ls"], group: TRANSFERS, load: async () => (await import("./ls.ts")).addList },
  { names: ["info"], group: TRANSFERS, load: async () => (await import("./info.ts")).addInfo },
  { names: ["files"], group: TRANSFERS, load: async () => (await import("./files.ts")).addFiles },
  { names: ["pause"], group: TRANSFERS, load: async () => (await import("./change.ts")).addPause },
  { names: ["resume"], group: TRANSFERS, load: async () => (await import("./change.ts")).addResume },
  { names: ["rm"], group: TRANSFERS, load: async () => (await import("./change.ts")).addRemove },
  { names: ["recheck"], group: TRANSFERS, load: async () => (await import("./change.ts")).addRecheck },
  { names: ["relocate"], group: TRANSFERS, load: async () => (await import("./relocate.ts")).addRelocate },
  { names: ["limit"], group: TRANSFERS, load: async () => (await import("./limit.ts")).addLimit },
  { names: ["schedule"], group: TRANSFERS, load: async () => (await import("./schedule.ts")).addSchedule },
  { names: ["net", "network"], group: NETWORK, load: async () => (await import("./network.ts")).addNetwork },
  { names: ["relay"], group: NETWORK, load: async () => (await import("./relay.ts")).addRelay },
  { names: ["invite"], group: NETWORK, load: async () => (await import("./invite.ts")).addInvite },
  { names: ["proxy"], group: NETWORK, load: async () => (await import("./proxy.ts")).addProxy },
  {
    names: ["daemon"],
    group: COMPUTER,
    anywhere: true,
    load: async () => (await import("./daemon.ts")).addDaemon,
  },
  {
    names: ["service"],
    group: COMPUTER,
    anywhere: true,
    load: async () => (await import("./service.ts")).addService,
  },
  {
    names: ["config"],
    group: COMPUTER,
    anywhere: true,
    load: async () => (await import("./config.ts")).addConfig,
  },
  {
    names: ["doctor"],
    group: COMPUTER,
    anywhere: true,
    load: async () => (await import("./doctor.ts")).addDoctor,
  },
  { names: ["token"], group: COMPUTER, load: async () => (await import("./token.ts")).addToken },
  { names: ["seal"], group: MORE, load: async () => (await import("./seal.ts")).addSeal },
  { names: ["open"], group: MORE, load: async () => (await import("./open.ts")).addOpen },
  {
    names: ["completion"],
    anywhere: true,
    group: MORE,
    load: async () => (await import("./completion.ts")).addCompletion,
  },
  {
    names: ["__complete"],
    group: MORE,
    isHidden: true,
    load: async () => (await import("./completion.ts")).addComplete,
  },
  { names: ["demo"], group: MORE, load: async () => (await import("./demo.ts")).addDemo },
];
