// Rules of whole files: what stands under a weight file's name, and what else the file is.
import {
  ATLAS_SUPPLY_CHAIN,
  ATLAS_UNSAFE_ARTIFACT,
  type Rule,
  SAFETENSORS_FORMAT,
  SUPPLY_CHAIN,
} from '../rule.ts';

const FETCH = 'fetch the file again; compare its size and digest with what the source publishes';

export const DISGUISE = {
  'file/empty': {
    severity: 'critical',
    title: 'the file is empty',
    hint: FETCH,
    why: 'A model whose weights never arrived passes every check that looks for bad content only.',
  },
  'file/zeros': {
    severity: 'critical',
    title: 'the file begins with zeros where its header should be',
    hint: `the space was reserved and never written, as a download that broke off does; ${FETCH}`,
    why: 'A broken copy that has the right name and size is deployed in good faith.',
  },
  'file/lfs-pointer': {
    severity: 'critical',
    title: 'the file is a Git LFS pointer, not the weights',
    hint: 'run git lfs pull, or download the file itself; the digest in the pointer is the one it must have',
    why: 'What was looked at is a text of three lines: nothing is known of the weights that will replace it.',
  },
  'file/text': {
    severity: 'critical',
    title: 'the file is a text, such as an error page, not the weights',
    hint: `read it: often it says why the download failed; ${FETCH}`,
    why: 'A saved login page or error message has the right name, and a page may also carry a script.',
  },
  'file/pickle': {
    severity: 'critical',
    title: 'the file is a Python pickle: loading it runs what it names',
    hint: 'never load it; delete it, or ask for real safetensors; one that you need can be allowed by its digest',
    why: 'Loading a pickle calls what it names. Critical under the name of a weight file, and where it can execute, open or connect; high for other imports of libraries that are not known; medium where it names what checkpoints are made of, or cannot be followed to its end.',
    references: [SUPPLY_CHAIN, ATLAS_UNSAFE_ARTIFACT],
  },
  'file/archive': {
    severity: 'critical',
    title: 'the file is an archive, as PyTorch writes it, under the name of a weight file',
    hint: 'never load it with torch.load: a PyTorch archive holds a pickle; ask for real safetensors',
    why: 'Loaders that look at the content instead of the name unpack the archive and run its pickle.',
    references: [SUPPLY_CHAIN, ATLAS_UNSAFE_ARTIFACT],
  },
  'file/executable': {
    severity: 'critical',
    title: 'the file is a program under the name of a weight file',
    hint: 'treat the file as malicious; keep a copy as evidence',
    why: 'Weight files are large, trusted and rarely scanned: a good place to bring a program in.',
    references: [SUPPLY_CHAIN, ATLAS_SUPPLY_CHAIN],
  },
  'file/program': {
    severity: 'high',
    title: 'the file is a program or a library',
    hint: 'delete it; a model needs none. One that you need can be allowed by its digest',
    why: 'A program beside weights is copied to where the model is served, and is run by whoever finds it, or by a loader of plugins.',
    references: [SUPPLY_CHAIN, ATLAS_UNSAFE_ARTIFACT],
  },
  'file/runs-code': {
    severity: 'medium',
    title: 'the file is code, or makes a loader import code',
    hint: 'read it, and load the model without trust_remote_code; delete it, or allow it in the policy by its digest',
    why: 'Libraries import Python that lies beside the weights, or in another repository, when the user trusts remote code; the weights may be good, and the model is as dangerous as this file. High where a library imports without asking.',
    references: [SUPPLY_CHAIN, ATLAS_UNSAFE_ARTIFACT],
  },
  'file/opaque': {
    severity: 'low',
    title: 'the file may hold weights in a format that is not read here',
    hint: 'nothing is known of it but its digest: leave it out, or allow it by its digest',
    why: 'A loader that prefers it serves a model that nobody looked at.',
    references: [SUPPLY_CHAIN],
  },
  'file/digest': {
    severity: 'critical',
    title: 'the digest of the file differs from the one stated beside it',
    hint: FETCH,
    why: 'A cache names blobs by their digest, and lists such as SHA256SUMS have it: other bytes are damage, or somebody put them there. Critical where a store names the file so; high for lists, which can be older than the file.',
    references: [SUPPLY_CHAIN],
  },
  'file/digest-match': {
    severity: 'info',
    title: 'files have the digest stated beside them',
    hint: 'this proves integrity, not trust: whoever replaces a file can replace the text beside it',
    why: 'The files are whole and as they were when the digest was taken.',
  },
  'file/unfinished': {
    severity: 'high',
    title: 'a transfer was not finished, or the file is a piece of another',
    hint: `finish the transfer or join the pieces; then scan the whole. ${FETCH}`,
    why: 'Programs reserve the whole length first: a file of the right size may hold zeros where nothing arrived.',
  },
  'file/json': {
    severity: 'medium',
    title: 'a configuration that loaders open is not JSON, or not only one',
    hint: `the model does not load, or loads differently; ${FETCH}`,
    why: 'Half a file, an error page or a key that stands twice means something else to each parser.',
    references: [SUPPLY_CHAIN],
  },
  'file/ggml-legacy': {
    severity: 'critical',
    title: 'the file is in a format that came before GGUF and that current loaders refuse',
    hint: 'convert the model again with current tools; it was not examined further',
    why: 'Only old programs load it, and they read its lengths without a check.',
  },
  'file/foreign': {
    severity: 'critical',
    title: 'the format of the file differs from the one its name states',
    hint: `nothing was looked at; ${FETCH}`,
    why: 'Programs that go by name and programs that go by content treat it as two different things.',
  },
  'file/polyglot': {
    severity: 'critical',
    title: 'the file is a weight file and at the same time a valid file of a different format',
    hint: 'treat the file as malicious: it does not come about by accident; keep a copy as evidence',
    why: 'A scanner sees weights, another program an archive, a pickle or a script, and runs it.',
    references: [SAFETENSORS_FORMAT, SUPPLY_CHAIN, ATLAS_UNSAFE_ARTIFACT],
  },
} as const satisfies Record<string, Rule>;
