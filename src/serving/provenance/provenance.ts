// Provenance headers: a verifier writes down what stands on disk, and whoever answers requests says it while it still holds.
export { createProvenance, type ProvenanceResult, type ReleaseOnDisk } from './creation.ts';
export { provenanceHeaders } from './middleware.ts';
export {
  HEADERS,
  headersOf,
  type Provenance,
  provenanceText,
  readProvenance,
  UNKNOWN,
} from './provenance-document.ts';
export { PROXY_TARGETS, type ProxyTarget, renderProxy } from './render.ts';
export { provenanceServer } from './server.ts';
export { type Standing, standingOf } from './standing.ts';
