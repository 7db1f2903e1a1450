// What follows the help of every command about releases.

export const GATE_HELP = `
Examples:
  steelyard gate release/ --policy release.yaml --current sha256:…     promote or refuse
  steelyard approve release/ --policy release.yaml --key alice.pem -o release/evidence/approvals/alice.sigstore.json

Exit codes:
  0    promoted; approved
  1    refused; lines name stable codes (UNSIGNED, VULNERABLE, NOT_APPROVED, …)
  2    no verdict: something could not be read, a malformed policy, a limit, bad usage
  130  interrupted (143: terminated)
`;
