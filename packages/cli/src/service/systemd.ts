import { BackroomError } from "@backroom/core/base/errors.ts";
import type { ServiceSpec } from "./service-spec.ts";

export const UNIT_NAME = "backroom.service";

/**
 * A user unit: it runs as the person, without any right that the daemon can do without. Whatever breaks into the daemon finds the file system read-only but
 * for the data folder and where downloads go, and no other kind of socket than the daemon's own.
 */
export function renderSystemdUnit(spec: ServiceSpec): string {
  const writable = [spec.dataFolder, ...spec.writableFolders];
  return `[Unit]
Description=Backroom, file sharing through relays
StartLimitIntervalSec=10min
StartLimitBurst=5

[Service]
Type=exec
ExecStart=${execStart(spec.command)}
Restart=on-failure
RestartSec=10s
# It ends within five seconds by itself.
TimeoutStopSec=10s
# The daemon stops its own children.
KillMode=mixed
UMask=0077
LimitNOFILE=65536

NoNewPrivileges=yes
# Needed by a user's own manager for all that follows; it makes a user namespace.
PrivateUsers=yes
ProtectSystem=strict
${writable.map((folder) => `ReadWritePaths=${quotePath(`-${folder}`)}`).join("\n")}
# Where the program keeps what it compiled.
CacheDirectory=backroom
CacheDirectoryMode=0700
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
# Netlink tells which addresses this computer has.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute=: V8 compiles JavaScript to machine code, so it has to make memory executable that it wrote.

[Install]
WantedBy=default.target
`;
}

/** The program's own path is taken as it stands, so what would need an escape is not possible in it. Raises E_SERVICE. */
function execStart([program = "", ...args]: readonly string[]): string {
  if (/["'\\\n]/.test(program))
    throw notPossible("the program lies in a folder whose name holds quotes, backslashes or line breaks");
  return [`"${program.replaceAll("%", "%%")}"`, ...args.map(quoteArgument)].join(" ");
}

/** systemd.service(5), "Command lines": quotes keep spaces; \`%\` and \`$\` mean themselves when doubled. */
function quoteArgument(text: string): string {
  return `"${escapeQuoted(text).replaceAll("$", "$$$$")}"`;
}

/** systemd.exec(5): paths take specifiers but neither variables nor escapes. Raises E_SERVICE for one that holds both kinds of quotes. */
function quotePath(text: string): string {
  const quote = ['"', "'"].find((one) => !text.includes(one));
  if (quote === undefined || text.includes("\n")) {
    throw notPossible("the name of a folder holds line breaks, or both kinds of quotes");
  }
  return `${quote}${text.replaceAll("%", "%%")}${quote}`;
}

function escapeQuoted(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("%", "%%");
}

function notPossible(why: string): BackroomError {
  return new BackroomError("E_SERVICE", "systemd cannot be told of such a path", {
    why,
    fix: "choose a place with a simpler name, or start the daemon yourself: backroom daemon start",
  });
}
