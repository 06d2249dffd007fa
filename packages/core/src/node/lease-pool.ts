import type { LeasePool } from "../swarm/lease-exchange.ts";
import type { OwnLease } from "../tunnel/gate-place.ts";
import type { LeaseBook } from "../tunnel/lease-book.ts";

/** This computer as a seeder of the share: under the name that a `LeaseBook` gives it, and where, once it is to be found anywhere. */
export interface OwnPlace {
  readonly seeder: string;
  readonly lease: OwnLease | undefined;
}

/** What a share's peers tell each other about its seeders (PROTOCOL 10.4). `onNews` runs when a peer's lease was new to the book. */
export function createLeasePool(book: LeaseBook, ownPlace: () => OwnPlace, onNews: () => void): LeasePool {
  return {
    take(sealed) {
      const added = book.add(sealed, "peer");
      if (added === undefined) return undefined;
      if (added.isNews && added.seeder !== ownPlace().seeder) onNews();
      return { seeder: added.seeder, expirySeconds: added.lease.expirySeconds };
    },
    offer() {
      const own = ownPlace();
      // Gates hand out our own leases to us as to everybody; those must not pass for somebody else's.
      const others = book.passable().filter(({ seeder }) => seeder !== own.seeder);
      const offered = others.map(({ seeder, lease: { expirySeconds }, sealed }) => {
        return { seeder, expirySeconds, sealed, isOwn: false };
      });
      return own.lease === undefined
        ? offered
        : [{ seeder: own.seeder, ...own.lease, isOwn: true }, ...offered];
    },
  };
}
