import { u32be } from "../base/bytes.ts";
import { sha256 } from "../crypto/hash.ts";

/** Under which hash the relays of a network announce themselves in the Mainline DHT (PROTOCOL 7.8): whoever knows the network's id can ask for it. */
export function networkTopic(networkId: number): Buffer {
  return sha256(Buffer.concat([Buffer.from("backroom network v1", "latin1"), u32be(networkId)])).subarray(
    0,
    20,
  );
}
