// Examples and exit codes of commands that share them.

export const BASELINE_HELP = `
Examples:
  steelyard profile models/llama --rows -o llama.profile.json      the baseline, from a model you trust
  steelyard check incoming/llama --baseline llama.profile.json     is it that model, and what departs
  steelyard check tuned/ --baseline llama.profile.json --mode derived
  steelyard policy init llama.profile.json -o llama.policy.yaml    a policy that the model keeps
  steelyard policy test llama.policy.yaml llama.profile.json       which line matches which tensors
  steelyard scan incoming/llama --policy llama.policy.yaml

Exit codes:
  0    written; pass
  1    fail: a finding at or above --fail-on
  2    no verdict: a file could not be read, no baseline of a broken model, an invalid profile or policy, bad usage
  130  interrupted (143: terminated)
`;

export const PROOF_HELP = `
Examples:
  steelyard sign models/llama --key key.pem -o model.sig
  steelyard scan models/llama --sign model.sig --key key.pem --format json -o report.json    the same, with the report
  steelyard sign models/llama --key key.pem -o new.sig --reuse model.sig --public-key pub.pem --changed models/llama/README.md
  steelyard verify models/llama --signature model.sig --public-key pub.pem --scan
  steelyard bom create models/llama -o model.mbom.yaml --runtime-image img@sha256:…
  steelyard sign model.mbom.yaml --key key.pem -o model.mbom.yaml.sigstore.json
  steelyard bom verify model.mbom.yaml --root models/llama --signature model.mbom.yaml.sigstore.json --public-key pub.pem
  steelyard attest models/llama --key key.pem -o model.intoto.jsonl

Exit codes:
  0    signed, verified
  1    refused: nothing is proven, or the scan failed; lines begin with stable codes (UNSIGNED, DIGEST_MISMATCH, …)
  2    no verdict: a file could not be read, bad usage
  130  interrupted (143: terminated)
`;

export const FETCH_HELP = `
Examples:
  steelyard pull hf://acme/support@3f1c0d5… -o models/support
  steelyard lock hf://acme/support@main -o support.lock.json       review it in git, then:
  steelyard pull --lock support.lock.json -o models/support
  steelyard pull https://models.acme.example/billing.safetensors -o adapters/billing --sha256 7c5e…

Exit codes:
  0    the model is at its place: every byte is what was expected, and the scan passes
  1    refused: the source is not allowed, a digest differs, or the scan fails; nothing is at its place
  2    no verdict: network, login, space, a limit, bad usage; what arrived is kept for the next pull
  130  interrupted (143: terminated)
`;

export const PEEK_HELP = `
Examples:
  steelyard peek hf://acme/support@main
  steelyard peek s3://llm-artifacts/zoo/mistral/ --include '*.safetensors' --format json

Exit codes:
  0    nothing at or above high in the headers; the weights were not looked at
  1    a finding at or above high
  2    no verdict: network, login, a limit, bad usage
`;

/** A help with the examples of one command, and what all of its kind share. */
export const helpOf = (help: string, command: string): string =>
  help
    .split('\n')
    .filter((line) => !line.startsWith('  steelyard ') || line.startsWith(`  steelyard ${command} `))
    .join('\n');
