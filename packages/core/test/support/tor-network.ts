import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { TorProcess } from "./tor-process.ts";

export type TorScheduler = "KIST" | "Vanilla";

export interface TorNetworkOptions {
  /** Besides the one directory authority, which relays, too. */
  readonly relayCount: number;
  /** A loopback TCP port that an onion service leads to; none without it. */
  readonly onionTarget?: number;
  readonly scheduler?: TorScheduler;
  /** After this long everything is killed, whoever forgot to. */
  readonly hardEndMs: number;
}

interface Node {
  readonly name: string;
  readonly folder: string;
  readonly config: readonly string[];
}

interface Layout {
  readonly nodes: readonly Node[];
  /** Of the client. */
  readonly socksPort: number;
  readonly controlPort: number;
  /** Of the authority. */
  readonly dirPort: number;
}

const run = promisify(execFile);
const ONION_PORT = 80;

/**
 * A private Tor network on loopback, out of the `tor` that is installed: an authority, relays that let anybody out to loopback, a client with
 * a SOCKS port, and an onion service if wanted. Keys and state lie in a temporary folder. It takes some 25 s until a client can build circuits.
 */
export class TorNetwork {
  readonly socksPort: number;
  readonly #controlPort: number;
  readonly #folder: string;
  readonly #nodes: readonly Node[];
  readonly #processes: TorProcess[] = [];
  readonly #hardEnd: NodeJS.Timeout;
  readonly #closed = new AbortController();
  #scheduler: TorScheduler;

  private constructor(
    folder: string,
    nodes: readonly Node[],
    { socksPort, controlPort }: Pick<Layout, "socksPort" | "controlPort">,
    options: TorNetworkOptions,
  ) {
    this.#folder = folder;
    this.#nodes = nodes;
    this.socksPort = socksPort;
    this.#controlPort = controlPort;
    this.#scheduler = options.scheduler ?? "KIST";
    this.#hardEnd = setTimeout(() => void this.close(), options.hardEndMs);
    // What is left of a run that forgot `close` must not keep it from ending.
    this.#hardEnd.unref();
  }

  /** Resolves when the client, and the onion service if there is one, have circuits. Raises when `tor` does not come that far. */
  static async start(options: TorNetworkOptions): Promise<TorNetwork> {
    const folder = await mkdtemp(path.join(tmpdir(), "backroom-tor-"));
    const { nodes, dirPort, ...ports } = await layOut(folder, options);
    const network = new TorNetwork(folder, nodes, ports, options);
    try {
      const isMember = ({ name }: Node): boolean => name === "client" || name === "service";
      await Promise.all(nodes.filter((node) => !isMember(node)).map((node) => network.#launch(node)));
      // A member that finds a consensus without relays waits for minutes before it asks for another.
      await consensusOf(options.relayCount + 1, dirPort, network.#closed.signal);
      const members = await Promise.all(nodes.filter(isMember).map((node) => network.#launch(node)));
      await Promise.all(members.map((one) => one.said("Bootstrapped 100%")));
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  /** The onion service's name and port. */
  async onion(): Promise<{ host: string; port: number }> {
    const name = await readFile(path.join(this.#folder, "service", "onion", "hostname"), "utf8");
    return { host: name.trim(), port: ONION_PORT };
  }

  /** What goes through the client now: each stream's target and the circuit that it is on. */
  async streams(): Promise<{ readonly circuit: string; readonly target: string }[]> {
    const socket = connect(this.#controlPort, "127.0.0.1");
    socket.end("AUTHENTICATE\r\nGETINFO stream-status\r\nQUIT\r\n");
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    // control-spec, 3.9: id, status, circuit, target.
    const lines = answer.matchAll(/^(?:250-stream-status=)?\d+ SUCCEEDED (\d+) (\S+)/gm);
    return [...lines].map(([, circuit = "", target = ""]) => ({ circuit, target }));
  }

  pids(): number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  /** Has every process schedule its cells that way from now on. */
  async use(scheduler: TorScheduler): Promise<void> {
    this.#scheduler = scheduler;
    for (const node of this.#nodes) await this.#configure(node);
    for (const one of this.#processes) one.reload();
  }

  async close(): Promise<void> {
    clearTimeout(this.#hardEnd);
    this.#closed.abort();
    await Promise.all(this.#processes.map((one) => one.kill()));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #launch(node: Node): Promise<TorProcess> {
    await this.#configure(node);
    const started = new TorProcess(node.name, configFile(node));
    this.#processes.push(started);
    return started;
  }

  async #configure(node: Node): Promise<void> {
    const lines = [...node.config, `Schedulers ${this.#scheduler}`];
    await writeFile(configFile(node), `${lines.join("\n")}\n`);
  }
}

/** Keys of the authority, ports, and what each process is told. */
async function layOut(folder: string, { relayCount, onionTarget }: TorNetworkOptions): Promise<Layout> {
  const [socksPort = 0, controlPort = 0, dirPort = 0, ...orPorts] = await freePorts(relayCount + 4);
  const common = (name: string): string[] => [
    "TestingTorNetwork 1",
    `DataDirectory ${path.join(folder, name)}`,
    "Log notice stdout",
    "ShutdownWaitLength 0",
  ];
  const relay = (name: string, port: number): string[] => [
    ...common(name),
    "SocksPort 0",
    `Nickname ${name}`,
    "Address 127.0.0.1",
    `ORPort 127.0.0.1:${port}`,
    "ContactInfo nobody",
    "AssumeReachable 1",
    "ExitRelay 1",
    // What clients hear of a policy says nothing of loopback alone, so it has to be this wide.
    "ExitPolicy accept *:*",
    "ExitPolicyRejectPrivate 0",
  ];
  const [authorityPort = 0, ...relayPorts] = orPorts;
  const authority = [
    ...relay("authority", authorityPort),
    `DirPort 127.0.0.1:${dirPort}`,
    "AuthoritativeDirectory 1",
    "V3AuthoritativeDirectory 1",
    // The shortest that Tor takes: a consensus within seconds of the start.
    "TestingV3AuthInitialVotingInterval 5",
    "TestingV3AuthInitialVoteDelay 2",
    "TestingV3AuthInitialDistDelay 2",
    "V3AuthVotingInterval 10",
    "V3AuthVoteDelay 2",
    "V3AuthDistDelay 2",
    "TestingDirAuthVoteExit *",
    "TestingDirAuthVoteGuard *",
    "TestingDirAuthVoteHSDir *",
    "TestingMinExitFlagThreshold 0",
  ];
  const authorityLine = await makeAuthority(folder, authority, authorityPort, dirPort);
  const client = [
    ...common("client"),
    `SocksPort 127.0.0.1:${socksPort} IsolateSOCKSAuth`,
    `ControlPort 127.0.0.1:${controlPort}`,
    "ClientRejectInternalAddresses 0",
    "ClientDNSRejectInternalAddresses 0",
  ];
  const service = [
    ...common("service"),
    "SocksPort 0",
    `HiddenServiceDir ${path.join(folder, "service", "onion")}`,
    `HiddenServicePort ${ONION_PORT} 127.0.0.1:${onionTarget ?? 0}`,
  ];
  const configs: [string, string[]][] = [
    ["authority", authority],
    ...relayPorts.map((port, index): [string, string[]] => [
      `relay${index + 1}`,
      relay(`relay${index + 1}`, port),
    ]),
    ["client", client],
    ...(onionTarget === undefined ? [] : [["service", service] as [string, string[]]]),
  ];
  const nodes: Node[] = [];
  for (const [name, config] of configs) {
    const own = path.join(folder, name);
    await mkdir(own, { recursive: true, mode: 0o700 });
    nodes.push({ name, folder: own, config: [...config, authorityLine] });
  }
  return { nodes, socksPort, controlPort, dirPort };
}

/** Makes the authority's keys, and the line by which everybody knows it. */
async function makeAuthority(
  folder: string,
  config: readonly string[],
  orPort: number,
  dirPort: number,
): Promise<string> {
  const own = path.join(folder, "authority");
  const keys = path.join(own, "keys");
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const generating = run(
    "tor-gencert",
    ["--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", `127.0.0.1:${dirPort}`],
    { cwd: keys },
  );
  generating.child.stdin?.end("only for this test\n");
  await generating;
  const certificate = await readFile(path.join(keys, "authority_certificate"), "latin1");
  const identity = /^fingerprint ([0-9A-F]{40})$/m.exec(certificate)?.[1] ?? "";
  const line = (fingerprint: string): string =>
    `DirAuthority authority orport=${orPort} no-v2 v3ident=${identity} 127.0.0.1:${dirPort} ${fingerprint}`;
  const draft = path.join(folder, "draft");
  await writeFile(draft, `${[...config, line("0".repeat(40))].join("\n")}\n`);
  await run("tor", ["--list-fingerprint", "-f", draft, "--defaults-torrc", `${draft}.none`, "--quiet"]);
  const [, fingerprint = ""] = (await readFile(path.join(own, "fingerprint"), "latin1")).trim().split(" ");
  return line(fingerprint);
}

/** Waits until the authority has published a consensus that lists as many relays. */
async function consensusOf(relayCount: number, dirPort: number, signal: AbortSignal): Promise<void> {
  const url = `http://127.0.0.1:${dirPort}/tor/status-vote/current/consensus`;
  for (;;) {
    signal.throwIfAborted();
    const answer = await fetch(url, { signal }).catch(() => undefined);
    const text = answer?.ok === true ? await answer.text() : "";
    if (text.split("\n").filter((line) => line.startsWith("r ")).length >= relayCount) return;
    await sleep(250);
  }
}

function configFile(node: Node): string {
  return path.join(node.folder, "torrc");
}

/** Ports that were free a moment ago; all are held at once so that none comes twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
