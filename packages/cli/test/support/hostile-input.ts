import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** What strangers may send to a relay's ports without knowing anything: each piece holds `mark`, so that it can be found again where it must not be. */
export async function sendNonsense(host: string, port: number, mark: string): Promise<void> {
  const http = `GET /${mark} HTTP/1.1\r\nHost: ${mark}.example\r\nUser-Agent: ${mark}\r\n\r\n`;
  await overTcp(host, port, Buffer.from(http));
  await overTcp(host, port, Buffer.concat([Buffer.of(22, 3, 1, 2, 0), Buffer.from(mark.repeat(20))]));
  await overTls(host, port, mark, "http/1.1");
  await overTls(host, port, mark, "backroom/1");
  const id = mark.padEnd(20, "x").slice(0, 20);
  const datagrams = [
    mark,
    `d1:ad2:id20:${id}e1:q4:ping1:t2:aa1:y1:qe`,
    `d1:ad2:id20:${id}9:info_hash20:${id}e1:q9:get_peers1:t2:aa1:y1:qe`,
    `d1:ad2:id20:${id}9:info_hashi1ee1:q9:get_peers1:t2:aa1:y1:qe`,
    `d1:ad2:id20:${id}12:implied_porti1e9:info_hash20:${id}4:porti1e5:token4:nonee1:q13:announce_peer1:t2:aa1:y1:qe`,
    `d1:eli201e${mark.length}:${mark}e1:t2:aa1:y1:ee`,
  ];
  const socket = createSocket("udp4");
  for (const datagram of datagrams) {
    await new Promise((resolve) => socket.send(datagram, port, host, resolve));
  }
  socket.close();
}

async function overTcp(host: string, port: number, bytes: Buffer): Promise<void> {
  const socket = connect({ host, port });
  await sendAll(socket, bytes);
}

/** A handshake with a protocol of this name, and if that is taken something that is no frame. */
async function overTls(host: string, port: number, mark: string, protocol: string): Promise<void> {
  const tls = { rejectUnauthorized: false, ALPNProtocols: [protocol], servername: `${mark}.example` };
  const socket = connectTls({ host, port, ...tls });
  await sendAll(socket, Buffer.from(mark.repeat(2000)));
}

/** Ends when the other side has had enough, however it shows that. */
function sendAll(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => {}).once("close", () => resolve());
    socket.resume().end(bytes);
  });
}
