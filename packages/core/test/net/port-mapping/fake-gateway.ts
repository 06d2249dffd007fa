import { createSocket } from "node:dgram";
import { once } from "node:events";

/** The answer of a gateway that grants a NAT-PMP request. */
export function pmpAnswer(
  request: Buffer,
  externalPort: number,
  lifetimeS = request.readUInt32BE(8),
): Buffer {
  const answer = Buffer.alloc(16);
  answer[1] = 128 + request.readUInt8(1);
  request.copy(answer, 8, 4, 6);
  answer.writeUInt16BE(externalPort, 10);
  answer.writeUInt32BE(lifetimeS, 12);
  return answer;
}

/** The same for PCP. */
export function pcpAnswer(
  request: Buffer,
  externalPort: number,
  lifetimeS = request.readUInt32BE(4),
): Buffer {
  const answer = Buffer.from(request);
  answer[1] = 0x81;
  answer.fill(0, 2, 24);
  answer.writeUInt32BE(lifetimeS, 4);
  answer.writeUInt16BE(externalPort, 42);
  return answer;
}

/** A gateway on loopback that answers each request with what `answer` makes of it. */
export async function startFakeGateway(
  answer: (request: Buffer, clientPort: number, reply: (bytes: Buffer) => void) => void,
): Promise<{ readonly port: number; readonly requests: Buffer[]; close(): void }> {
  const socket = createSocket("udp4");
  const requests: Buffer[] = [];
  socket.on("message", (request, { port, address }) => {
    requests.push(request);
    answer(request, port, (bytes) => socket.send(bytes, port, address));
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, requests, close: () => socket.close() };
}
