import { MemoryStore } from "../../src/store/memory-store.ts";
import { pieceStoreSuite } from "./piece-store-suite.ts";

pieceStoreSuite("memory store", async (info, run) => {
  const store = new MemoryStore(info);
  await run(store);
  await store.close();
});
