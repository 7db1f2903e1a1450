// Rules of where a model comes from, and of what arrives.
import { ATLAS_SUPPLY_CHAIN, type Rule, SUPPLY_CHAIN } from '../rule.ts';

export const SOURCE = {
  'source/not-allowed': {
    severity: 'critical',
    title: 'the model comes from a place that is not allowed, or lists what no model may have',
    hint: 'pull it from an allowed source; a new source is added to the policy in a reviewed commit',
    why: 'Whoever can choose the source chooses the weights: a name that looks right at another registry is another model.',
    references: [SUPPLY_CHAIN, ATLAS_SUPPLY_CHAIN],
  },
  'source/redirect': {
    severity: 'critical',
    title: 'the source sends on to a place that is not allowed',
    hint: 'ask who runs the source; allow the host in the policy if the redirect is right',
    why: 'A redirect to a private address reads what only this machine can reach; one to another host collects tokens.',
    references: ['CWE-918', SUPPLY_CHAIN],
  },
  'source/digest': {
    severity: 'critical',
    title: 'the bytes that arrived are not those that were expected',
    hint: 'do not use the file; pull it again; if the mismatch stays, use another mirror and report it to the operator of this one',
    why: 'A mirror that changes one bit installs another model. The common clients compare sizes only.',
    references: ['https://github.com/huggingface/huggingface_hub/issues/3643', SUPPLY_CHAIN],
  },
  'source/changed': {
    severity: 'critical',
    title: 'the source changed while the model was being pulled',
    hint: 'list the source again and review what is new; pin a commit, a version or a manifest',
    why: 'Ranges of two versions in one file are a model that nobody has made.',
    references: ['https://github.com/aws/aws-cli/issues/2321'],
  },
  'source/unpinned': {
    severity: 'medium',
    title: 'nothing states the expected digests of the files beforehand',
    hint: 'write a lock with steelyard lock and review it, or give --sha256 or an MBOM',
    why: 'Without a digest that somebody else gave, whatever arrives is right.',
    references: [SUPPLY_CHAIN],
  },
  'source/layer-unknown': {
    severity: 'low',
    title: 'a layer of a kind that no packer of models writes',
    hint: 'inspect it; it lies in the model under its digest as name',
    why: 'A layer that no reader knows is unpacked by nobody, and carries anything.',
    references: [SUPPLY_CHAIN],
  },
  'source/cache-digest': {
    severity: 'high',
    title: 'a file of a cache does not match its name in the cache',
    hint: 'remove the model from the cache and pull it again',
    why: 'Caches are trusted by their names, and nobody reads the bytes again.',
    references: [SUPPLY_CHAIN],
  },
} as const satisfies Record<string, Rule>;
