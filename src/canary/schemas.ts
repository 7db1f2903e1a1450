// The documents of this wing as zod schemas, for the registry of schemas.
export { FingerprintSchema } from './fingerprint/fingerprint-schema.ts';
