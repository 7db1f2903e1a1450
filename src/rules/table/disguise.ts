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
    title: 'the file is a Python pickle under the name of a weight file',
    hint: 'never load it: loading a pickle runs the code that it names; ask for real safetensors',
    why: 'Loaders that fall back to pickle run code of the attacker in spite of a name that promises data only.',
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
  'file/ggml-legacy': {
    severity: 'critical',
    title: 'the file is in a format that came before GGUF and that current loaders refuse',
    hint: 'convert the model again with current tools; it was not looked at further',
    why: 'Only old programs load it, and they read its lengths without a check.',
  },
  'file/foreign': {
    severity: 'critical',
    title: 'the file is of another format than its name says',
    hint: `nothing was looked at; ${FETCH}`,
    why: 'Programs that go by name and programs that go by content treat it as two different things.',
  },
  'file/polyglot': {
    severity: 'critical',
    title: 'the file is a weight file and a valid file of another format at once',
    hint: 'treat the file as malicious: it does not come about by accident; keep a copy as evidence',
    why: 'A scanner sees weights, another program an archive, a pickle or a script, and runs it.',
    references: [SAFETENSORS_FORMAT, SUPPLY_CHAIN, ATLAS_UNSAFE_ARTIFACT],
  },
} as const satisfies Record<string, Rule>;
