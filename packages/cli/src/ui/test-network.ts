/** What has to be said wherever a test network is used. */
export const TEST_NETWORK =
  "this is a test network: one operator runs all its relays, so nothing is hidden from that operator.";
