import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { TestContext } from "node:test";

/**
 * Stock programs that tests agree with. Where one is missing the test is skipped and says which Debian package brings it;
 * with BACKROOM_NO_SKIP=1 (as in CI) a missing partner fails instead.
 */
const PARTNERS = {
  age: { package: "age", found: () => onPath("age", ["--version"]) },
  zstd: { package: "zstd", found: () => onPath("zstd", ["--version"]) },
  tar: { package: "tar", found: () => onPath("tar", ["--version"]) },
  libtorrent: {
    package: "python3-libtorrent",
    found: () => onPath("/usr/bin/python3", ["-c", "import libtorrent"]),
  },
  netns: {
    package: "iproute2 procps (and root)",
    found: () => process.getuid?.() === 0 && onPath("ip", ["-V"]) && onPath("sysctl", ["-V"]),
  },
  mountns: {
    package: "util-linux (and root)",
    found: () => onPath("unshare", ["-m", "mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt"]),
  },
  setpriv: {
    package: "util-linux (and root)",
    found: () => process.getuid?.() === 0 && onPath("setpriv", ["--version"]),
  },
  tmpfs: {
    package: "mount (and root)",
    found: () => process.getuid?.() === 0 && onPath("mount", ["--version"]),
  },
  miniupnpd: { package: "miniupnpd-nftables (and root)", found: () => onPath("which", ["miniupnpd"]) },
  nft: { package: "nftables (and root)", found: () => onPath("nft", ["--version"]) },
  tcpdump: { package: "tcpdump", found: () => onPath("tcpdump", ["--version"]) },
  tor: {
    package: "tor (and util-linux)",
    found: () => onPath("tor", ["--version"]) && onPath("setpriv", ["--version"]),
  },
  systemdAnalyze: { package: "systemd", found: () => onPath("systemd-analyze", ["--version"]) },
  chromium: { package: "chromium", found: () => onPath("/usr/bin/chromium", ["--version"]) },
  python3: { package: "python3", found: () => onPath("python3", ["-c", "import plistlib, xml.etree"]) },
  groff: { package: "groff-base", found: () => onPath("groff", ["--version"]) },
  bash: { package: "bash", found: () => onPath("bash", ["--version"]) },
  zsh: { package: "zsh", found: () => onPath("zsh", ["--version"]) },
  fish: { package: "fish", found: () => onPath("fish", ["--version"]) },
  faketime: { package: "faketime", found: () => onPath("faketime", ["--version"]) },
} as const;

function onPath(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** True when every partner is there. Otherwise skips the test (or fails it, in CI) and returns false. */
export function havePartners(t: TestContext, ...names: (keyof typeof PARTNERS)[]): boolean {
  const missing = names.filter((name) => !PARTNERS[name].found());
  if (missing.length === 0) return true;
  skipOrFail(t, `install ${missing.map((name) => PARTNERS[name].package).join(", ")}`);
  return false;
}

/** Like `havePartners` for a folder of test data that lies outside the repository. */
export function haveFolder(t: TestContext, folder: string, what: string): boolean {
  if (existsSync(folder)) return true;
  t.skip(`${what} are not here`);
  return false;
}

function skipOrFail(t: TestContext, reason: string): void {
  if (process.env["BACKROOM_NO_SKIP"] === "1") throw new Error(`this run allows no skips: ${reason}`);
  t.skip(reason);
}
