import { BackroomError } from "@backroom/core/base/errors.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Part } from "../context.ts";
import type { Access } from "./access.ts";
import type { ContentUrls } from "./content-url.ts";

export interface PageDeps {
  readonly access: Access;
  readonly urls: ContentUrls;
  readonly catalogue: Pick<Catalogue, "get" | "tokens">;
  /** The page's address, with a slash at its end; null where it is not served. */
  readonly page: () => string | null;
  /** The content's origin for whoever asked for the page under that host. */
  readonly contentOrigin: (host: string | null) => string;
}

/** How a page comes to its token, gives it back, and shows what is in shares. */
export function createPageHandlers({
  access,
  urls,
  catalogue,
  page,
  contentOrigin,
}: PageDeps): Part<"openPage" | "beginSession" | "endSession" | "contentUrl"> {
  const served = (): string => {
    const url = page();
    if (url !== null) return url;
    throw new BackroomError("E_NOT_FOUND", "the page is not served", {
      why: "the setting page.enabled is false",
      fix: "backroom config set page.enabled true, then restart the daemon",
    });
  };
  return {
    handlers: {
      openPage: async () => {
        const url = served();
        const { code, expiresMs } = access.newCode();
        // Behind `#`: browsers neither send it nor name it to others.
        return { url: `${url}#code=${code}`, expiresMs };
      },
      beginSession: async (input, { address }) => access.exchange(input, address),
      endSession: async (_, { tokenId }) => {
        if (tokenId !== null) catalogue.tokens.remove(tokenId);
        return {};
      },
      contentUrl: async ({ id, path }, { host }) => {
        served();
        if (catalogue.get(id) === undefined)
          throw new BackroomError("E_NO_TRANSFER", "there is no such transfer");
        if (!path.isWellFormed()) throw new BackroomError("E_REQUEST", "the path is not Unicode");
        const { target, expiresMs } = urls.sign({ transferId: id, path });
        return { url: contentOrigin(host) + target, expiresMs };
      },
    },
    close: async () => {},
  };
}
