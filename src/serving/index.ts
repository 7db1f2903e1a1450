// `steelyard/serving` for programs: what a model server may do and reach, what it says about itself, and whether it
// still is what was released.
export { type DriftRecord, readDriftLine } from './drift/drift.ts';
export {
  type Checked,
  checkConfiguration,
  type Egress,
  type Probed,
  parseEgress,
  probe,
  render,
  TARGETS,
  type Target,
} from './egress/egress.ts';
export {
  type LintOptions,
  lint,
  type Manifest,
  type Release,
  releaseOf,
  type ServingFinding,
  type ServingReport,
  servingText,
} from './lint/lint.ts';
export {
  createProvenance,
  HEADERS,
  type Provenance,
  type ProvenanceResult,
  provenanceHeaders,
  type ReleaseOnDisk,
  readProvenance,
} from './provenance/provenance.ts';
