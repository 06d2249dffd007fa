/**
 * Every bound on what a stranger can fill, each with its reason. Units are in the names.
 * A bound that is not here does not exist: code that needs one adds it here.
 */
export const LIMITS = {
  // --- base -----------------------------------------------------------------------------------------
  /** Our deepest message nests four levels; torrents of others need six. Stops stack exhaustion. */
  bencodeDepth: 16,
  /** No bencoded thing of ours is larger; a DHT packet is bounded much lower by the validator. */
  bencodeBytes: 1024 * 1024,

  // --- net ------------------------------------------------------------------------------------------
  /** Waiting in one channel above the kernel's own buffers: some 30 DATA frames keep any link busy; more only adds delay. */
  channelQueueBytes: 512 * 1024,
  /** Channels that are up at one listener: two file descriptors' worth each stays far below the usual 4,096. */
  channelsTotal: 1_500,
  /** Channels from one address (IPv6: one /64): a household or a small company behind one NAT. */
  channelsPerAddress: 16,
  /** Sockets that have not finished TLS and HELLO. Each may cost one handshake, about 1 ms of CPU. */
  channelsHalfOpen: 128,
  /** TCP, TLS and both HELLOs: six round trips over a slow link, and no more for somebody who only holds the socket open. */
  channelOpenMs: 10_000,
  /** PROTOCOL 5: silence after which we ask, and how long the answer may take. */
  channelPingMs: 30_000,
  channelPongMs: 20_000,
  /** PINGs of the peer in one keepalive period that we answer: it needs one. */
  channelPings: 8,
} as const;
