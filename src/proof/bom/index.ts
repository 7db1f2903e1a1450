// `steelyard/bom`: what importers see of bills of materials.
export { createMbom, type MbomOptions } from './creation.ts';
export { type CycloneDxOptions, type CycloneDxVersion, exportCycloneDx } from './cyclonedx.ts';
export type { Mbom, MbomFile, Part, TensorsDigest } from './mbom.ts';
export { readMbom } from './mbom-document.ts';
export { tensorsDigest } from './tensors-digest.ts';
export { type MbomProof, type MbomVerifyOptions, verifyMbom } from './verification.ts';
