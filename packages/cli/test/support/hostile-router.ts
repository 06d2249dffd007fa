/**
 * A router that answers UPnP searches in its home network and means no good: run on it as a program of its own, with what it does as the first
 * argument and an address outside as the second. Says `ready` when it listens.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { HOME_GATEWAY } from "./home-router.ts";

const [manner = "", elsewhere = ""] = process.argv.slice(2);
const PORT = 5000;
const HERE = `http://${HOME_GATEWAY}:${PORT}/`;

const description = (controlUrl: string): string => `<?xml version="1.0"?><root><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>
<controlURL>${controlUrl}</controlURL><SCPDURL>/scpd</SCPDURL></service></serviceList></device></root>`;

/** Where the description of the router is said to be. */
const LOCATIONS: Readonly<Record<string, string>> = {
  "leads elsewhere": `http://${elsewhere}:${PORT}/`,
  "names a name": `http://router.example:${PORT}/`,
};

const http = createServer((request, response) => {
  request.resume();
  if (manner === "never answers") return;
  if (manner === "never ends") {
    const more = (): void => {
      while (response.write(Buffer.alloc(65_536, "<a>")));
      response.once("drain", more);
    };
    more();
    return;
  }
  if (manner === "nests deeply") response.end("<a>".repeat(60_000));
  else if (manner === "sends others on") response.end(description(`http://${elsewhere}:${PORT}/control`));
  else if (manner === "redirects")
    response.writeHead(301, { location: `http://${elsewhere}:${PORT}/` }).end();
  else response.end("no XML at all");
});
http.listen(PORT, HOME_GATEWAY);

const udp = createSocket({ type: "udp4", reuseAddr: true });
udp.on("message", (search, { port, address }) => {
  if (!String(search).startsWith("M-SEARCH")) return;
  const target = /^ST: (.*?)\r?$/m.exec(String(search))?.[1] ?? "";
  const location = LOCATIONS[manner] ?? HERE;
  const lines = [
    "HTTP/1.1 200 OK",
    `ST: ${target}`,
    `LOCATION: ${location}`,
    "CACHE-CONTROL: max-age=100",
    "",
    "",
  ];
  udp.send(lines.join("\r\n"), port, address);
});
udp.bind(1900, () => {
  udp.addMembership("239.255.255.250", HOME_GATEWAY);
  process.stdout.write("ready\n");
});
