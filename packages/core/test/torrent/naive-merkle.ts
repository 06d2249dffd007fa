import { sha256 } from "../../src/crypto/hash.ts";

/**
 * BEP 52's tree written down as its text has it, without regard for time or memory: all leaves, padded with zero hashes to a power
 * of two, and all layers. `layers[0]` is the leaves, the last one holds the root alone.
 */
export function naiveLayers(bytes: Buffer): Buffer[][] {
  let layer: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 16_384) layer.push(sha256(bytes.subarray(at, at + 16_384)));
  while (!Number.isInteger(Math.log2(layer.length))) layer.push(Buffer.alloc(32));
  const layers = [layer];
  while (layer.length > 1) {
    const below = layer;
    layer = below.flatMap((hash, at) => (at % 2 === 0 ? [sha256(hash, below[at + 1] as Buffer)] : []));
    layers.push(layer);
  }
  return layers;
}

/** The hashes of the layer with a hash a piece, without those that cover nothing; the root of a pack of one piece. */
export function naivePieceLayer(bytes: Buffer, pieceLength: number): Buffer {
  const layers = naiveLayers(bytes);
  const layer = layers[Math.log2(pieceLength / 16_384)];
  const pieces = Math.ceil(bytes.length / pieceLength);
  return Buffer.concat(pieces === 1 ? (layers.at(-1) as Buffer[]) : (layer as Buffer[]).slice(0, pieces));
}
