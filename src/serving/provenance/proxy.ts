// What a fragment of proxy configuration is made of.

export interface ProxyOptions {
  /** Where clients connect: `8080` or `127.0.0.1:8080`. */
  readonly listen: string;
  /** The model server: `127.0.0.1:8000`. */
  readonly upstream: string;
  /** `steelyard provenance serve`: `127.0.0.1:9750`. */
  readonly sidecar: string;
  /** The map of values that `steelyard provenance write --map` wrote; HAProxy alone needs it. */
  readonly map: string;
  /** Where nginx writes its log of requests. */
  readonly log: string;
}

/** Host and port of `host:port`; a bare port listens on every address. */
export function hostAndPort(address: string): readonly [string, string] {
  const at = address.lastIndexOf(':');
  return at < 0
    ? ['0.0.0.0', address]
    : [address.slice(0, at).replace(/^\[|\]$/g, ''), address.slice(at + 1)];
}
