/**
 * Every bound on what a stranger can fill, each with its reason. Units are in the names.
 * A bound that is not here does not exist: code that needs one adds it here.
 *
 * One file, though a long one, by areas in the order of the layers: whoever asks what strangers can fill reads it from top to bottom, and bounds that have to fit each
 * other stand in sight of each other. docs/LIMITS.md has a row for each.
 */
export const LIMITS = {
  // --- base -----------------------------------------------------------------------------------------
  /** Our deepest message nests four levels; torrents of others need six. Stops stack exhaustion. */
  bencodeDepth: 16,
  /** No bencoded thing of ours is larger; a DHT packet is bounded much lower by the validator. */
  bencodeBytes: 1024 * 1024,

  /** Lines of one event in a log, at once and each second: most of what is noted strangers cause, and a flood must not become a busy disk. */
  logEventBurst: 100,
  logEventsPerSecond: 5,
  /** A log file and the one before it: days of a relay's life at `info`, and never a full disk. */
  logFileBytes: 8 * 1024 * 1024,

  // --- net ------------------------------------------------------------------------------------------
  /** Waiting in one channel above the kernel's own buffers: five DATA frames keep any link busy; more only adds delay. */
  channelQueueBytes: 512 * 1024,
  /** Above this a neighbour does not read, whatever is sent to it unasked (CREATE, PONG): the channel is closed. */
  channelQueueMostBytes: 2 * 1024 * 1024,
  /** Channels that are up at one listener: two file descriptors' worth each stays far below the usual 4,096. */
  channelsTotal: 1_500,
  /** Channels from one address (IPv6: one /64): a household or a small company behind one NAT. */
  channelsPerAddress: 16,
  /** Channels from one /24 (IPv6: one /48, which a single home is often given): with addresses alone one neighbour could take all places. */
  channelsPerBlock: 64,
  /** Connections that one address may begin, in a burst and each second: each costs a TLS handshake, about 1 ms of CPU. */
  channelBurst: 64,
  channelsPerSecond: 1,
  /** Addresses whose burst is remembered; the one that came first is forgotten first. */
  channelSources: 4096,
  /** Sockets that have not finished TLS and HELLO. Each may cost one handshake, about 1 ms of CPU. */
  channelsHalfOpen: 128,
  /** TCP, TLS and both HELLOs: six round trips over a slow link, and no more for somebody who only holds the socket open. */
  channelOpenMs: 10_000,
  /** From dialling a proxy to its answer: Tor may have to build a circuit first, and try another one. */
  proxyOpenMs: 45_000,
  /** PROTOCOL 5: silence after which we ask, and how long the answer may take. */
  channelPingMs: 30_000,
  channelPongMs: 20_000,
  /**
   * The same for a channel that was in use until then: together below the 3 s within which a member is to be back through another guard, and the answer has more
   * than a satellite's 1.2 s. Slower lines and full queues are measured, and given longer.
   */
  channelQuickPingMs: 750,
  channelQuickPongMs: 1_750,
  /** What was sent before a close has this long to leave; then the connection is cut. */
  channelCloseMs: 2_000,
  /** PINGs of the peer in one keepalive period that we answer: it sends 40, and some more while a line turns out to be quicker than it seemed; one that stood still delivers those of some time before at once. */
  channelPings: 100,

  // --- net: the process that asks the router for a port -------------------------------------------------
  /** A router that asks for patience, or sends without end, has no more than this. A search and three requests over a slow LAN take five seconds. */
  portMappingMs: 15_000,
  /** Heap of the process; what a router may send is far below it. */
  portMappingHeapMiB: 64,
  /** Routers asked at once: a computer with a cable and a radio has two. */
  portMappingGateways: 4,
  /** How long routers have to say that they are there: UPnP lets them wait a second before they do. */
  portMappingSearchMs: 3_000,
  /** One request to a router: a description of its services takes some 10 KiB. */
  portMappingHttpMs: 3_000,
  portMappingHttpBytes: 256 * 1024,
  /** For how long a port is asked for, and what of a router's answer is believed: it decides how often it is asked again. */
  portMappingMostMs: 3_600_000,
  portMappingLeastMs: 120_000,

  // --- net: the DHT process ---------------------------------------------------------------------------
  /** One Ethernet frame: real nodes send no longer ones, and longer ones are fragments, which are easy to forge. */
  dhtPacketBytes: 1_472,
  /** Real nodes use 2 to 8 bytes for a transaction and at most 20 for a token; all of it is echoed or kept. */
  dhtTransactionBytes: 32,
  dhtTokenBytes: 64,
  /** Contacts taken from one answer: 8 by BEP 5, 20 in some clients. */
  dhtNodes: 20,
  /** Peers in one answer, taken as well as given: answers must stay small, since the question's source may be forged. */
  dhtValues: 50,
  /** Packets a second from one address and from all. A busy DHT node sees some 100 a second in all. */
  dhtSourcePackets: 20,
  dhtAllPackets: 1_000,
  /** What strangers may store with us, and for how long: announcers repeat themselves every 15 to 30 minutes. */
  dhtStoredPeers: 2_000,
  dhtStoredMs: 45 * 60_000,
  /** Lookups whose tokens are kept for announcing. */
  dhtTables: 256,
  /** A lookup visits some 60 nodes, 16 at a time, within a second or two; a hostile one could lead on for ever. */
  dhtLookupMs: 15_000,
  /** Places that one lookup gives: whoever wants to hide a share has to make up several times as many. And those that nodes of one /24 named: eight such to fill it. */
  dhtResults: 512,
  dhtResultsPerSubnet: 64,
  /** Lookups and announcements under way, and lookups that wait for their turn. */
  dhtJobs: 8,
  dhtWaitingLookups: 64,
  /** Hashes one gate announces; each costs about 100 packets every `dhtAnnounceMs`. */
  dhtAnnounced: 2_000,
  /** BEP 5 nodes forget after 30 minutes. */
  dhtAnnounceMs: 15 * 60_000,
  /** An announcement that reached nobody is tried again this much later: the first contacts may not be up yet. */
  dhtAnnounceAgainMs: 5_000,
  /** Contacts given to a new child, bootstrap list included. */
  dhtContacts: 64,
  /** How often contacts are pinged anew while few nodes are known. */
  dhtRefreshMs: 1_000,
  /** A child that died is started again after this, doubled each time up to the second. */
  dhtRestartMs: 1_000,
  dhtRestartMostMs: 60_000,
  /** Heap of the child; it needs about 20 MiB. */
  dhtHeapMiB: 128,

  // --- net: the local network -----------------------------------------------------------------------
  /** A question of ours has 40 bytes and an answer 300; stock browsers put what they know already behind the question. */
  lanMessageBytes: 1_472,
  /** Answers a second: a house full of members that look at once. Questions are anybody's on that network. */
  lanAnswersPerSecond: 10,
  /** Relays taken from one search, and how long it lasts: a datagram crosses a house in milliseconds, and is asked for twice. */
  lanRelays: 16,
  lanSearchMs: 1_500,
  /** Datagrams looked at in one search. */
  lanDatagrams: 256,

  // --- torrent --------------------------------------------------------------------------------------
  /** What all BitTorrent peers request at a time (BEP 52); a longer `piece` message or request is refused. */
  wireBlockBytes: 16 * 1024,
  /** An extension message: room for a handshake dictionary or seven sealed leases, and no more than a block. */
  wireExtendedBytes: 16 * 1024,
  /** BEP 52 asks that one request for hashes names no more than this many: 16 KiB of them. */
  hashesPerRequest: 512,
  /** The length field of a link has 48 bits. */
  packBytes: 2 ** 48 - 1,

  // --- directory ------------------------------------------------------------------------------------
  /** A relay info with four IPv6 addresses and both onion keys has 332; the rest is room for version 2. */
  relayInfoBytes: 400,
  relayInfoAddresses: 4,
  /** Hosts that a guest names: each learns its address, and with three one may go without taking the guest out of service. */
  guestHosts: 3,
  /** Guests whose channels one relay keeps: far below `channelsTotal`, so that they leave room for clients and relays. */
  guestsKept: 64,
  /** Of those, from one /24 (v6 /48): a guest costs nobody an address, so whoever has one could be all guests of a relay. */
  guestsKeptPerSubnet: 2,
  /** Guests in a table: hearsay mostly, and of use only beside a fifth as many of them as there may be relays. */
  tableGuests: 1000,
  /** Of those, behind one host: as many as it keeps. */
  tableGuestsPerHost: 64,
  /** Of those that only one source has named. */
  tableGuestsPerSource: 125,
  /** A guest signs anew each hour, and homes are switched off at night: one that did not for so long is not drawn for paths. */
  guestLifeMs: 6 * 3_600_000,
  /** Guests in one answer to `sample`, so that they do not crowd out relays. */
  sampleGuests: 16,
  /** Three hours forgive a clock that is off; a day is how long a relay that left is still tried. */
  relayInfoFutureMs: 3 * 3_600_000,
  relayInfoLifeMs: 24 * 3_600_000,
  /** Endpoints out of the DHT that somebody dials who looks for a first relay: enough that most may be made up, too few for an attack on a third. */
  topicRelays: 8,
  /** How long a relay that was known here is still called on to join: home addresses change within weeks. */
  cachedRelayMs: 30 * 24 * 3_600_000,
  /** Decoded infos kept by content, so that the same info heard from thirty relays is verified once. */
  relayInfoCacheCount: 8192,
  /** All relays of a network of the size that we plan for, 2 MB; beyond it members know a random part. */
  tableInfos: 5000,
  /** A household or a rack runs a few relays; a thousand behind one /24 (v6 /48) is one operator that wants to be everybody. */
  tablePerSubnet: 8,
  /** A v6 /32 or v4 /16 is what a provider gets; its customers together may not fill the table either. */
  tablePerBlock: 128,
  /** One source may fill an eighth of the table with relays that nobody else has named. */
  tablePerSource: 625,
  /** Enough to tell two independent sources from one, and to see a third and fourth agree. */
  tableSourcesKept: 4,
  /** An answer to `sample`: 64 infos of 400 bytes fit one DATA frame. */
  sampleInfos: 64,
  /** Questions that one circuit may ask of the directory: a burst to fill a table, then one a second. */
  directoryBurstCount: 32,
  directoryPerSecond: 1,
  /** Of one circuit: a relay publishes itself, and again when it was not reached. */
  publishBurstCount: 4,
  publishPerSecond: 1 / 60,
  /** Dials for EXTENDs to relays that the table does not have: those that came today. Everybody may sign an info for any address. */
  extendDialBurst: 64,
  extendDialsPerSecond: 2,
  /** Dials on strangers' words into one /24 (v6 /48): the relays of a rack, and a second try each. */
  dialSubnetBurst: 16,
  dialSubnetEveryMs: 60_000,
  /** Subnets remembered for that. */
  dialSubnets: 4096,
  /** Publishing makes the relay dial, which could be misused to scan: few, whoever asks. */
  probeBurstCount: 20,
  probePerSecond: 1,
  /** Circuits whose allowance is remembered; the oldest is forgotten first. */
  allowanceCircuits: 4096,
  /** An info checked by a dial is not dialled again for this long, however often it is published. */
  probeAgainMs: 10 * 60_000,
  /** Answers of a scout. */
  scoutGates: 16,
  /** Endpoints out of one DHT answer that a scout looks at, and of those unknown to it that it asks others about. */
  scoutEndpoints: 512,
  scoutMisses: 4,
  /** Lookups that one circuit, and all circuits together, may make a scout do. A DHT lookup costs about 100 packets. */
  scoutBurstCount: 6,
  scoutPerSecond: 0.2,
  scoutAllBurstCount: 60,
  scoutAllPerSecond: 5,
  /** Short, since a seeder that lost its gates is found at new ones only then; long enough that a popular share costs four lookups a minute. */
  scoutCacheMs: 15_000,
  scoutCacheCount: 1024,
  /** Shares are served under both epochs for an hour around a turn (PROTOCOL 8); a clock wrong by more misses them. */
  clockSkewMs: 3_600_000,
  /** Neighbours whose clocks are remembered; a median of more says nothing new. */
  clockSources: 32,
  /** Relays whose own measurements are kept, 100 bytes each: more than a member meets within their half-life of three days. */
  measuredRelays: 1024,
  /** Guards, middle hops and measurements on disk: 80 KiB where all are full. */
  pathStateBytes: 256 * 1024,
  /** Circuits that went wrong and are not yet held against their guard: more in one go say that the network failed. */
  guardBlamesHeld: 16,
  /** A network file names seed relays, not a directory; the text is read whole. */
  networkFileBytes: 64 * 1024,
  networkFileRelays: 64,
  networkFileBootstrap: 32,
  networkNameBytes: 64,

  // --- tunnel ---------------------------------------------------------------------------------------
  /** Three gates with relay infos of 400 bytes leave room to spare; every sealed lease has this length. */
  leaseBytes: 2_048,
  /** A lease is renewed hourly; one that nobody renews is gone after another hour. */
  leaseLifetimeMs: 2 * 3_600_000,
  /** How far a peer's clock may be off before its lease counts as forged or over. */
  leaseSkewMs: 15 * 60_000,
  /** Leases by the sharer's key at one gate for one topic: the sharer's few computers. */
  gateSharerLeases: 4,
  /** Everybody else's: more peers than one download uses, and their own mirrors pass on the rest. */
  gateOtherLeases: 32,
  /** Leases in one answer: 8 sealed leases are 17 KiB. */
  gateLeasesAnswered: 8,
  /** A member's group of shares, under two epochs near a turn. */
  gateRegistrationsPerCircuit: 128,
  /** About 2.5 KiB each, so 10 MiB: two for each topic. */
  gateRegistrations: 4_096,
  /** As many as the DHT is told of: a topic that nobody can look up is not served. */
  gateTopics: 2_000,
  /** Questions to the register service, of one circuit: all its places under two epochs, then renewals. And of all: 0.25 ms of CPU each. */
  gateQuestionBurst: 320,
  gateQuestionsPerSecond: 1,
  gateAllQuestionBurst: 2_000,
  gateAllQuestionsPerSecond: 1_000,
  /** Questions for leases and for what a tunnel costs, of one circuit: it asks for one topic, and again when it was refused. */
  gateLeaseQuestionBurst: 16,
  gateLeaseQuestionsPerSecond: 1,
  /** And of all: an answer is 17 KiB, so 17 MiB a second at most. */
  gateAllLeaseQuestionBurst: 2_000,
  gateAllLeaseQuestionsPerSecond: 1_000,
  /** What one seeder's standing circuit is shared by at a time; more get slower, not faster. */
  gateTunnelsPerSeeder: 64,
  gateTunnels: 1_024,
  /** Tunnels of one downloader's circuit, those that wait included: one is the rule, a few spare a circuit each. */
  gateTunnelsPerCircuit: 4,
  /** Attempts to open one, of one circuit: wrong work costs the gate a hash each. */
  gateAttemptBurst: 16,
  gateAttemptsPerSecond: 1,
  /** Tunnels that one seeder has to answer, a handshake of a millisecond each; whoever comes on top waits, and shows work. */
  gateConnectBurst: 32,
  gateConnectsPerSecond: 8,
  /** The same for a whole gate: enough that each of its tunnels could be a new one every quarter of a minute. */
  gateAllConnectBurst: 256,
  gateAllConnectsPerSecond: 64,
  /** Who waits for one seeder, four seconds' worth, and at one gate, 112 KiB each at most; the last ones are refused. */
  gateWaitingPerSeeder: 32,
  gateWaiting: 512,
  /** Long enough to be outbid and served all the same; then one is told what it takes now. */
  gateWaitMs: 5_000,
  /** Payloads of a tunnel that is not joined yet: the handshake is one. */
  gateEarlyFrames: 1,
  /** A tunnel through which nothing has passed for this long gives way to another where there is no room. */
  gateStallMs: 10_000,
  /** And to one who did work for it: several round trips through five relays. The longest idle goes first. */
  gateIdleMs: 2_000,
  /** A tunnel that is used keeps its place for this long, whoever pays: otherwise a crowd would only push each other out. */
  gateTenureMs: 60_000,
  /** Work for tunnels: a nonce holds for one to two of these, so work cannot be hoarded for long. */
  connectNonceMs: 60_000,
  /** Work remembered as spent, so that it counts once: what `gateAllConnectsPerSecond` lets through in two nonces' time, and the burst. */
  connectWorkRemembered: 8_192,
  /** The most that a gate asks for and a downloader does, 1,024 hashes each: some 10 s. A gate may ask for more in vain. */
  connectEffortMost: 8_192,
  /** How often the effort asked for falls while nobody has to wait: from a minute's attack to nothing within a minute. */
  connectEffortEveryMs: 1_000,
  /** How often a downloader tries one tunnel, each time with more work, and how long in all. */
  connectTries: 4,
  connectMs: 30_000,
  /** All tunnels' queues together, 70 MiB: then a tunnel is closed, first one that makes no progress. */
  gateQueuedFrames: 640,
  /** How long a gate still hands over what it holds of a tunnel whose other end closed. */
  gateLingerMs: 30_000,
  /** Five relays and one round trip, over slow links. */
  tunnelHandshakeMs: 30_000,
  /** How long a record that is not full waits for what its writer announced: longer than a read from a disk that is busy, and not so long that anybody notices. */
  tunnelHoldMs: 100,
  /** Written and not yet sent in one tunnel, above which a writer is asked to wait. */
  tunnelQueueBytes: 256 * 1_024,
  /** How long a closed tunnel waits for the window to send what was written before. */
  tunnelLingerMs: 10_000,
  /** Gates a downloader asks in one round and leases it keeps: bounds what forged DHT answers can cost. */
  finderGates: 16,
  finderLeases: 64,
  /** Of those, gates of which nothing is known but that one scout named them, or that did not answer before: two lying scouts name 32. */
  finderDoubtfulGates: 4,
  /** Scouts that a downloader leaves out since it has asked them lately: some five rounds' worth. */
  scoutsAvoided: 16,
  /** Gates whose troubles a downloader remembers: those of all its leases. */
  finderTroubles: 192,
  /** Of those, leases that only a peer has named: whoever holds the link makes as many as it likes. */
  finderHearsay: 24,
  /** Such leases dialled at once, and how often one more: invented seeders leave most of the circuits below to real ones. */
  hearsayBurst: 8,
  hearsayEveryMs: 60_000,
  /** The same for seeders that gates name and that were never reached: a topic crowded with inventions leaves circuits for the sharer and those met before. */
  strangersBurst: 15,
  strangersEveryMs: 15_000,
  /** How long after a seeder was reached, or named by a gate, its lease is passed on: shorter than leases run, so the dead fade. */
  leaseAliveMs: 30 * 60_000,
  /** Circuits that one share may build at once, and how often one more: for a seeder's gates and for a downloader's tunnels. */
  rebuildBurst: 20,
  rebuildEveryMs: 60_000,
  /** The same for a downloader's questions to gates, which it asks more often while nobody is there, mostly over circuits that it has. */
  questionCircuitEveryMs: 15_000,
  /** Circuits to one gate that was somebody else's choice, each over another second hop: a gate that kills them must not walk to a guard. */
  gateRebuildBurst: 6,
  gateRebuildEveryMs: 120_000,

  // --- pack -----------------------------------------------------------------------------------------
  /** A frame of a pack unpacked. Larger frames gain under 1 % in size; a reader holds several. */
  packFrameBytes: 8 * 1024 * 1024,
  /** What a zstd decoder may be asked to remember; no frame is longer, so none needs more. */
  packWindowLog: 23,
  /** 4 TiB of frames of 1 MiB; their seek table is 32 MiB. */
  packFrames: 4 * 1024 * 1024,
  /** The index is read chunk by chunk, so this is what a reader holds of it. */
  packIndexChunkBytes: 256 * 1024,
  /** Entries of an index: more than any file system holds comfortably in one tree, and a stop for endless ones. */
  packEntries: 8 * 1024 * 1024,
  /** A path in UTF-8; Linux allows no longer one. */
  packPathBytes: 4096,
  /** A share's name is one path component on screen. */
  packNameBytes: 255,
  packCommentBytes: 4096,
  /** What sealing left out is listed by path up to this many, and counted from there on. */
  packLeftOutListed: 1000,
  /** What is kept of a person's choice of files, which is read whenever the transfer goes on: folders say the same in fewer words. */
  selectionChoices: 10_000,
  selectionBytes: 1024 * 1024,
  /** Names of files and folders while choices are put together, some 250 bytes each: a request has room for two million. */
  selectionNames: 256 * 1024,

  // --- age and output paths -------------------------------------------------------------------------
  /** A stanza to an age1pq1 key takes 1.6 KB, so 32 recipients fit. */
  ageHeaderBytes: 64 * 1024,
  ageRecipients: 32,
  /** What we write and the most that we obey: 256 MiB and about a second. A forged header may not ask for more. */
  ageScryptLogN: 18,
  /** Keys tried on one pack; each costs a key agreement a stanza. */
  ageIdentities: 256,
  /** A key file is read whole. */
  ageKeyFileBytes: 256 * 1024,
  /** Hashing a longer password only costs time. */
  passwordBytes: 1024,
  /** What ext4, NTFS and APFS all store (in UTF-8 bytes for the first). */
  pathComponentBytes: 255,
  /** Deeper trees cannot be named by one path on most systems. */
  pathDepth: 128,

  // --- link -----------------------------------------------------------------------------------------
  /** A full link takes 527 bytes; the rest is room for tags of later versions. */
  linkBytes: 2048,
  /** Text as pasted, with whatever spaces and line breaks a mail program put in. */
  linkTextLength: 16 * 1024,
  linkNameBytes: 255,
  linkRelays: 3,
  inviteRelays: 8,
  inviteBootstrap: 8,

  // --- circuit --------------------------------------------------------------------------------------
  /** PROTOCOL 6.3: DATA frames a neighbour may send ahead, per circuit and direction, to begin with: 200 circuits that all stall hold 109 MiB. */
  circuitFrames: 5,
  /** What that rises to once it is used, while half of the pool is free: with fewer, frames on a short line cost a tenth more, since each turn of an event loop handles less. */
  circuitFramesUsed: 12,
  /** What it keeps in a relay in which too much waits: 585 circuits that all stall hold 128 MiB. */
  circuitFramesLeast: 2,
  /** What it may be granted in all: 8 MiB, 32 MiB/s at 120 ms to the neighbour and back, and twice what 100 Mbit/s need at half a second. */
  circuitFramesMost: 80,
  /**
   * What all credits and windows of a process may be beyond those that everybody starts with: 70 MiB, so that a relay that carries 250 MiB/s over
   * hops of 120 ms has them all full twice.
   */
  creditPoolFrames: 640,
  /** Credits that are given back in one go: often enough that nobody waits, and under 1 % of the bytes. */
  creditBatch: 4,
  /** PROTOCOL 6.3: CONTROL frames waiting in one circuit, 1 MiB: all streams of a circuit may end and be granted more at once. */
  controlFrames: 512,
  /** PROTOCOL 6.3: DATA frames that may be sent ahead on a stream to begin with: 1 MiB, and 64 tunnels whose reader stalls hold 63 MiB. */
  streamFrames: 9,
  /** What that rises to once it is used, in the same way. */
  streamFramesUsed: 20,
  /** What it keeps where too much waits: a gate's 256 tunnels that all stall hold 56 MiB. */
  streamFramesLeast: 2,
  /** What it may be granted in all: 17 MiB, which is 32 MiB/s at half a second end to end. */
  streamFramesMost: 160,
  /** Frames that a stream's reader has done with before it says so: one CONTROL frame for 900 KiB. */
  windowBatch: 8,
  /** Payloads of one stream that wait for their circuit: what the other end granted may be much more than the circuit takes. They are filled up again as they leave. */
  streamQueueFrames: 8,
  /** The same in a relay in which too much waits: a gate's 1,024 tunnels hold 112 MiB. */
  streamQueueLeast: 1,
  /** Streams of one circuit at a time: a gate splices one tunnel a downloader onto a seeder's circuit. */
  streamsPerCircuit: 256,
  /** BEGINs that wait for their answer: whoever makes a gate open streams cannot fill a slow circuit with CONTROL frames. */
  streamsUnanswered: 32,
  /** Circuits on a client's channel: tens are in use and being replaced. Each may hold 1 MiB, and more only of what is left of the pool. */
  circuitsPerClient: 64,
  /** Circuits on a channel between relays, which carries everybody's. */
  circuitsPerRelay: 2048,
  /** Circuits through one relay. */
  circuitsTotal: 8192,
  /** Refusals and ends of circuits that wait for a neighbour that does not read, 8 bytes each: twice what a channel carries. */
  destroysWaiting: 4096,
  /** DATA frames queued in one relay: from there on no new circuits, so that those that live can drain. */
  relayQueueBytes: 96 * 1024 * 1024,
  /** Then the circuit that holds most is ended. Without it each of 8,192 circuits could hold what it was granted for somebody who never reads. */
  relayQueueMostBytes: 128 * 1024 * 1024,
  /** Handshakes of one client's channel, burst and a second: it builds a dozen circuits at the start, then a few an hour. */
  handshakeBurstPerClient: 32,
  handshakesPerSecondPerClient: 4,
  /** The same for a relay's channel. */
  handshakeBurstPerRelay: 256,
  handshakesPerSecondPerRelay: 64,
  /** The same for all together: half a millisecond each, so an eighth of a core at most, and a burst holds others up for 64 ms. */
  handshakeBurstTotal: 128,
  handshakesPerSecondTotal: 256,
  /** CREATEs that wait for that, in turns of the neighbours: a second's worth in all, half of it from one: a relay's channel carries everybody's. */
  handshakesWaiting: 256,
  handshakesWaitingPerChannel: 128,
  /** Whoever opens a circuit waits for three hops in all; one that comes later than this is not worth its handshake. */
  handshakeWaitMs: 3_000,
  /** A relay whose event loop is this late has no time for what it carries already, let alone for more. */
  relayLagMs: 1_000,
  /** A relay with a limit of speed at which what waits takes this long to leave takes on no more: everybody's would only take longer. */
  relayBacklogMs: 4_000,
  /** EXTENDs that wait for a dial or a CREATED: a client builds a dozen circuits at a time, a relay's channel carries many clients'. */
  extendsPerClient: 16,
  extendsPerRelay: 128,
  extendsTotal: 512,
  /** Dial, CREATE and CREATED at a relay that extends: a little over what one dial may take. */
  extendMs: 12_000,
  /** A whole circuit of up to four hops. */
  circuitBuildMs: 30_000,
  /** A circuit takes no new streams after an hour and ends after four: what one relay can link stays short. */
  circuitFreshMs: 60 * 60_000,
  circuitLifeMs: 4 * 60 * 60_000,
  /** A circuit that nobody uses at its last hop: prepared ones are used or replaced sooner. */
  circuitIdleMs: 10 * 60_000,
  /** How often a relay looks for circuits that are too old or idle. */
  circuitSweepMs: 10_000,
  /** A channel without circuits stays for the next one a little while. */
  channelIdleMs: 60_000,
  /** A service message: 64 relay infos (26 KB), or 8 sealed leases (17 KB), with room to spare. */
  messageBytes: 64 * 1024,
  /** A question: the longest is a registration of 2.6 KB. Strangers may leave one half asked on every stream that they open. */
  questionBytes: 4 * 1024,
  /** Questions on one stream that wait for their answer. Ours ask one at a time. */
  questionsWaiting: 2,
  /** Questions of all streams, half asked or waiting: then the one that has been held longest goes with its stream. */
  questionsHeldBytes: 32 * 1024 * 1024,
  /** Services' own time for a question; directory and leases answer at once, the DHT in seconds. */
  answerMs: 20_000,

  // --- deny-list ------------------------------------------------------------------------------------
  /** An operator's own file, read whole. Keys of a thousand links are derived within a fifth of a second, twice an hour. */
  denyListBytes: 16 * 1024 * 1024,
  denyListLinks: 1_000,
  denyListHashes: 200_000,

  // --- swarm ----------------------------------------------------------------------------------------
  /** Peers of one share at a time: each costs a tunnel, and more do not make a download faster. */
  swarmPeers: 64,
  /** Pieces begun and not yet stored are held in memory: this much, but at least `swarmActiveLeast` and at most `swarmActiveMost` pieces. */
  swarmActiveBytes: 48 * 1024 * 1024,
  swarmActiveLeast: 4,
  swarmActiveMost: 512,
  /** Blocks asked of one peer at a time: 32 MiB, so that a path with a second's delay and late frames still carries 12 MiB a second. */
  peerRequests: 2048,
  /** Requests of one peer that wait with us; what comes on top is rejected. Its `reqq` says so. */
  peerQueuedRequests: 2048,
  /** Rejects for a full queue before the peer counts as one that floods: two windows, in case it had not read our `reqq` yet. */
  peerOverflow: 4096,
  /** Rejects in a row, with no block between, after which a peer that says it has pieces is of no use. */
  peerRejectsInRow: 4096,
  /** One read from the store for a peer, and what is read ahead for it: keeps a disk busy, and 64 peers cost 48 MiB, the memory that is read into included. */
  peerReadBytes: 256 * 1024,
  peerReadAheadBytes: 512 * 1024,
  /** Messages, blocks aside, that wait because the peer does not read. It may be told of 100,000 pieces (900 KB). */
  peerBlockedBytes: 1024 * 1024,
  /** Hash requests of one peer that wait with us, each to be answered with up to 17 KiB. */
  peerHashQueue: 64,
  /** Hash requests of ours to one peer at a time, 8 KiB of piece layer each at least. */
  peerHashRequests: 8,
  /** Extension handshakes: one is the rule, BEP 10 allows more. */
  peerExtensionHandshakes: 8,
  /** Leases in one message: 16 KiB of them. */
  peerLeasesPerMessage: 7,
  /** How often we pass leases on to one peer. */
  peerLeasesEveryMs: 60_000,
  /** What we take: messages at once and one more each time span, twice as fast as we send, since messages bunch up on slow paths. */
  peerLeasesBurst: 4,
  peerLeasesRefillMs: 30_000,
  /** Leases from one peer that do not open: near an epoch's turn clocks that differ cause some. */
  peerBadLeases: 16,
  /** Seeders of which we know that a peer knows them: the oldest are forgotten, and at worst said again. */
  peerLeasesRemembered: 128,
  /** From the opening of a tunnel to the peer's handshake: one round trip through five relays, over slow links. */
  peerHandshakeMs: 30_000,
  /** We say something at least this often, and a peer that says nothing for twice as long and more is gone. */
  peerKeepaliveMs: 100_000,
  peerSilenceMs: 240_000,
  /** A peer that owes blocks and sent none for this long stalls: others are asked. After the second time span it is dropped. */
  peerStallMs: 10_000,
  peerStalledMs: 120_000,
  /** A refused block or hash is not asked again of the same peer before this. */
  peerForgiveMs: 5_000,
  /** How far ahead of somebody who reads the pack in order its pieces are fetched first. */
  swarmReadAheadBytes: 8 * 1024 * 1024,

  // --- daemon: events -------------------------------------------------------------------------------
  /** Clients that follow events at once: a few windows of the page and of the command line; each costs a connection and its buffer. */
  eventClients: 64,
  /** How often clients hear of one kind of thing, at most: four times a second is as often as people see. */
  eventEveryMs: 250,
  /** Transfers told of at once, some 800 bytes each; what is left over has its turn the next time. */
  eventTransfers: 500,
  /** Sentences that wait to be told. */
  eventNotices: 32,
  /** What is kept for clients that come back, or read slowly; who is further behind asks for everything again. */
  eventRingCount: 512,
  eventRingBytes: 4 * 1024 * 1024,
  /** For how long events are kept while nobody listens: a page that is reloaded, a connection that broke. */
  eventKeepMs: 60_000,

  // --- daemon: notes --------------------------------------------------------------------------------
  /** Notes that are kept of a transfer: peers that come and go cause some, and a person reads the last screens. 10,000 transfers of that many are 100 MB of catalogue, the most that there can be. */
  transferNotes: 100,
  /** Characters of one: three long sentences; some are made of what others sent. */
  transferNoteChars: 600,

  // --- daemon: requests -----------------------------------------------------------------------------
  /** Connections at one listener: six of each browser window and one of each command. */
  apiConnections: 256,
  /** Line and headers of a request; the longest is an address of content whose path has 4,096 bytes, each written as three. */
  apiHeadBytes: 16 * 1024,
  /** For a request's head: on one computer it takes no time at all. */
  apiHeadMs: 10_000,
  /** JSON of one request: ten thousand paths of 400 bytes. */
  apiBodyBytes: 4 * 1024 * 1024,
  /** For the whole of it. */
  apiBodyMs: 30_000,
  /** Wrong tokens from one address before it has to wait, and for how long, doubled each time up to the second. */
  guessBurst: 10,
  guessWaitMs: 1_000,
  guessWaitMostMs: 60_000,
  /** Addresses (IPv6: /64) that are remembered for wrong tokens; the one that came first is forgotten first. */
  guessSources: 1_024,
  /** Codes for the page that were given out and not used, and for how long they are good: a person is waiting for a browser to open. */
  pageCodes: 16,
  pageCodeMs: 2 * 60_000,
  /** Sessions of pages; the one that was used longest ago ends for a new one. */
  pageSessions: 20,
  pageSessionMs: 30 * 24 * 3_600_000,
  /** For how long an address of content is good: a long film with a break. */
  contentUrlMs: 6 * 3_600_000,
  /** Uploads at once, over all windows of the page. */
  uploads: 16,
  /** Files of one upload, each of which costs some 300 bytes of memory until it is shared. */
  uploadFiles: 100_000,
  /** Bytes of all uploads; a typing error in a quota should not fill a server's disk before the free space is counted. */
  uploadBytes: 1024 ** 4,
  /** What an upload leaves free on the disk, since sealing needs room for the pack, and everybody else for what they do. */
  uploadFreeBytes: 1024 ** 3,
  /** A file of which nothing came for this long is given up, and an upload to which nothing happened. */
  uploadStallMs: 60_000,
  uploadIdleMs: 3_600_000,
} as const;
