// `steelyard/serving` for programs: what a model server says about itself, and whether it still is what was released.
export { type DriftRecord, readDriftLine } from './drift/drift.ts';
export {
  createProvenance,
  HEADERS,
  type Provenance,
  type ProvenanceResult,
  provenanceHeaders,
  type ReleaseOnDisk,
  readProvenance,
} from './provenance/provenance.ts';
