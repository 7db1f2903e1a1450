// Whether a word of the command line is a source and not a path. Known without loading what reads sources.

const SCHEME = /^(hf|s3|gs|oci|ollama|https?|cache):\/\//;

/** `s3:/x` is a path. */
export const isSourceUri = (text: string): boolean => SCHEME.test(text);
