// Rules about how a model is served: where it comes from, who can change it, and what the pod can reach.
import { ATLAS_SUPPLY_CHAIN, ATLAS_UNSAFE_ARTIFACT, type Rule, SUPPLY_CHAIN } from '../rule.ts';

const RESTRICT = 'name what the pod needs; `steelyard egress render` writes it from a list';

export const SERVING = {
  'model/writable': {
    severity: 'high',
    title: 'a container that runs beside the model can write to it',
    hint: 'mount the model with readOnly: true (compose: :ro) everywhere but in the init container that fetches it',
    why: 'What was verified at the start can be replaced afterwards. The server loads it at its next start.',
    references: [ATLAS_SUPPLY_CHAIN],
  },
  'model/mutable-source': {
    severity: 'high',
    title: 'the model comes from a place whose content can change',
    hint: 'name the commit of a hub, the digest of an artifact, or verify a checksum after the download',
    why: 'Whoever can write there decides what the next pod serves. No scan of the release has seen it.',
    references: [ATLAS_SUPPLY_CHAIN, SUPPLY_CHAIN],
  },
  'model/unverified': {
    severity: 'high',
    title: 'nothing verifies the model before it is served',
    hint: 'add an init container that runs `steelyard provenance write` or `steelyard verify` over the mounted model',
    why: 'A signature that nobody checks where the model is loaded protects nothing.',
    references: [ATLAS_SUPPLY_CHAIN],
  },
  'load/remote-code': {
    severity: 'critical',
    title: 'the server runs code that comes with the model',
    hint: 'remove trust-remote-code; use an architecture that the engine has built in, from safetensors',
    why: 'Whoever can change the model runs programs in the pod, with its secrets and its network.',
    references: [ATLAS_UNSAFE_ARTIFACT],
  },
  'load/online': {
    severity: 'medium',
    title: 'the server may fetch files of the model while it runs',
    hint: 'set HF_HUB_OFFLINE=1 and remove HF_ENDPOINT; the model lies in the volume',
    why: 'Tokenizers, adapters and code are fetched when they are missing, past every check of the release.',
    references: [ATLAS_SUPPLY_CHAIN],
  },
  'load/hot-swap': {
    severity: 'high',
    title: 'whoever reaches the server can load other weights into it',
    hint: 'load adapters at the start only; Triton: --model-control-mode=none; llama-server: --api-key-file and no --props',
    why: 'The pod then serves what no release has named, behind the header of the release.',
    references: [ATLAS_SUPPLY_CHAIN],
  },
  'provenance/absent': {
    severity: 'low',
    title: 'the pod does not say which release it serves',
    hint: 'annotate the pod with steelyard.dev/bom-id, and add the readiness gate steelyard.dev/provenance',
    why: 'In an incident nobody can say which pods served the suspect model.',
  },
  'provenance/other-release': {
    severity: 'high',
    title: 'the pod states a different release than the MBOM',
    hint: 'write the digest of this MBOM into the annotation, or lint with the MBOM that is meant',
    why: 'Evidence and approvals of one release would be counted for another one.',
  },
  'egress/none': {
    severity: 'high',
    title: 'no network policy restricts what the pod can reach',
    hint: RESTRICT,
    why: 'A pod without an egress policy reaches every host: prompts and secrets leave by any of them.',
    references: ['NSA and CISA, Kubernetes Hardening Guide, "Network policies"'],
  },
  'egress/open': {
    severity: 'high',
    title: 'a network policy lets the pod reach any address',
    hint: RESTRICT,
    why: 'Allowing everything is the same as no policy, and looks like one.',
  },
  'egress/metadata': {
    severity: 'high',
    title: "the pod can reach the cloud's metadata service",
    hint: 'except 169.254.0.0/16 and fd00:ec2::254/128, or allow named ranges only',
    why: 'At 169.254.169.254 any process of the pod gets credentials of the machine.',
  },
  'egress/dns': {
    severity: 'medium',
    title: 'the pod can send DNS queries to any address',
    hint: "allow port 53 to the cluster's resolver only",
    why: 'Data leaves in names that are asked for: a DNS server is a way out like any other.',
  },
} as const satisfies Record<string, Rule>;
