/** Headers on everything that is answered, whatever it is: none may be cached, framed, guessed at, or read by another site. */
const COMMON: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
};

/** For the page and the API. `contentOrigins` are those of the content port: what is shown of shares comes from there. */
export function pageHeaders(contentOrigins: readonly string[]): Readonly<Record<string, string>> {
  const content = contentOrigins.join(" ");
  return {
    ...COMMON,
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "font-src 'self'",
      "manifest-src 'self'",
      "connect-src 'self'",
      `img-src 'self' data: blob: ${content}`,
      `media-src ${content}`,
      `frame-src ${content}`,
      "frame-ancestors 'none'",
      "form-action 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ].join("; "),
  };
}

/**
 * For content of shares, which strangers wrote: a document of an origin of its own that runs nothing and loads nothing. The page may frame it. That other
 * sites get none of it is the door's work (`Sec-Fetch-Site`) and the signature's: Chromium takes two ports of an IP address for two sites when it reads
 * `same-site` here, and would show no picture.
 */
export function contentHeaders(pageOrigins: readonly string[]): Readonly<Record<string, string>> {
  return {
    ...COMMON,
    "cross-origin-resource-policy": "cross-origin",
    "content-security-policy": `sandbox; default-src 'none'; frame-ancestors ${pageOrigins.join(" ")}`,
  };
}

/** For the command line, which shows nothing: as strict as can be. */
export function socketHeaders(): Readonly<Record<string, string>> {
  return {
    ...COMMON,
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
  };
}
