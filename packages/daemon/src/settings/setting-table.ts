import { homedir } from "node:os";
import path from "node:path";
import { LOG_LEVELS } from "@backroom/core/base/log.ts";
import {
  filePath,
  hostNames,
  ipAddress,
  ipAddresses,
  oneOf,
  orNone,
  port,
  proxyUrl,
  truth,
  wholeNumber,
  type SettingKind,
} from "./setting-kind.ts";
import type { SettingKey, SettingValues } from "./settings.ts";

export interface Setting<T> {
  readonly kind: SettingKind<T>;
  readonly default: T;
  readonly environment: string;
  readonly description: string;
  /** `restart`: what it is about is done once, when the daemon starts. */
  readonly takesHold: "now" | "restart";
  /** What may be shown of a value that holds a secret; all of it where this is absent. */
  readonly shown?: (value: T) => T;
}

const home = homedir();
const certificate = orNone(filePath(home));

/** Every setting there is. The file, the environment, the command line, the API and the documentation go by this table. */
export const SETTINGS: { readonly [Key in SettingKey]: Setting<SettingValues[Key]> } = {
  "downloads.folder": {
    kind: filePath(home),
    default: path.join(home, "Downloads"),
    environment: "BACKROOM_DOWNLOADS_FOLDER",
    description: "where fetched files go when nothing else is said",
    takesHold: "now",
  },
  "downloads.active": {
    kind: wholeNumber(1, 100),
    default: 5,
    environment: "BACKROOM_DOWNLOADS_ACTIVE",
    description: "how many downloads run at once; others wait for their turn",
    takesHold: "now",
  },
  "page.enabled": {
    kind: truth,
    default: true,
    environment: "BACKROOM_PAGE_ENABLED",
    description: "whether the daemon serves its page to browsers",
    takesHold: "restart",
  },
  "page.host": {
    kind: ipAddress,
    default: "127.0.0.1",
    environment: "BACKROOM_PAGE_HOST",
    description: "the address at which the page is served; beyond this computer it also takes page.hosts",
    takesHold: "restart",
  },
  "page.port": {
    kind: port,
    default: 7420,
    environment: "BACKROOM_PAGE_PORT",
    description:
      "the port of the page; 0 takes a free one, and so does one that nobody chose where it is taken",
    takesHold: "restart",
  },
  "page.hosts": {
    kind: hostNames,
    default: "",
    environment: "BACKROOM_PAGE_HOSTS",
    description: "the names under which browsers may ask for the page, besides localhost",
    takesHold: "restart",
  },
  "page.tls-cert": {
    kind: certificate,
    default: null,
    environment: "BACKROOM_PAGE_TLS_CERT",
    description: "the certificate (PEM) of a page that is served beyond this computer",
    takesHold: "restart",
  },
  "page.tls-key": {
    kind: certificate,
    default: null,
    environment: "BACKROOM_PAGE_TLS_KEY",
    description: "the key (PEM) of that certificate",
    takesHold: "restart",
  },
  "page.behind-proxy": {
    kind: truth,
    default: false,
    environment: "BACKROOM_PAGE_BEHIND_PROXY",
    description: "whether a web server of yours stands in front of the page and does TLS",
    takesHold: "restart",
  },
  "content.port": {
    kind: port,
    default: 0,
    environment: "BACKROOM_CONTENT_PORT",
    description: "the port from which the page gets the content of shares; 0 takes a free one",
    takesHold: "restart",
  },
  "relay.port": {
    kind: port,
    default: 0,
    environment: "BACKROOM_RELAY_PORT",
    description: "the relay's port, for TLS (TCP) and the DHT (UDP); 0 takes a free one",
    takesHold: "now",
  },
  "relay.hosts": {
    kind: ipAddresses,
    default: "",
    environment: "BACKROOM_RELAY_HOSTS",
    description:
      "with relay on: the addresses under which others reach the relay, where they are not this computer's own",
    takesHold: "now",
  },
  "network.proxy": {
    kind: orNone(proxyUrl),
    default: null,
    environment: "BACKROOM_PROXY",
    description: "the SOCKS 5 proxy that every connection to relays goes through, such as Tor's",
    takesHold: "now",
    shown: (value) => value?.replace(/\/\/.*@/, "//") ?? null,
  },
  "network.lan": {
    kind: truth,
    default: false,
    environment: "BACKROOM_LAN",
    description: "whether relays are looked for on the local network, where a relay of this member answers",
    takesHold: "now",
  },
  "log.level": {
    kind: oneOf(...LOG_LEVELS),
    default: "info",
    environment: "BACKROOM_LOG",
    description: "how much the daemon's log says",
    takesHold: "now",
  },
  "risk.accepted": {
    kind: truth,
    default: false,
    environment: "BACKROOM_RISK_ACCEPTED",
    description: "whether to run with less than 4 GiB of memory, where it may end for want of it",
    takesHold: "now",
  },
};

export const SETTING_KEYS = Object.keys(SETTINGS) as SettingKey[];

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(SETTINGS, key);
}
