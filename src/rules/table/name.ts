// Rules of names: of tensors, and of the metadata's keys.
import { MALFORMED, type Rule, SUPPLY_CHAIN } from '../rule.ts';

const RENAME = 'inspect the name with its escapes; rename the tensor, or ask the publisher about its purpose';

export const NAME = {
  'name/control': {
    severity: 'high',
    title: 'a name holds control characters',
    hint: RENAME,
    why: 'Tools that print names pass escape sequences to the terminal: they rewrite what was printed, set the clipboard, or hide a line of a log.',
    references: ['https://github.com/ggml-org/llama.cpp/issues/28969', SUPPLY_CHAIN],
  },
  'name/invisible': {
    severity: 'high',
    title: 'a name contains characters that are invisible or reorder others',
    hint: RENAME,
    why: 'Two names that look the same are different tensors: a review approves one and the loader takes the other.',
    references: ['CVE-2021-42574'],
  },
  'name/confusable': {
    severity: 'high',
    title: 'a name imitates another one with letters of a different script',
    hint: RENAME,
    why: 'A tensor that looks like lm_head and is not passes a list of approved names by eye and by screenshot.',
    references: ['Unicode UTS #39'],
  },
  'name/normal-form': {
    severity: 'high',
    title: 'two names are the same characters, composed differently',
    hint: RENAME,
    why: 'File systems and databases that normalise names keep one of the two tensors; others keep both.',
    references: ['Unicode UAX #15'],
  },
  'name/case': {
    severity: 'low',
    title: 'two names differ in upper and lower case only',
    hint: 'programs that write one file per tensor lose one of them on macOS and Windows',
    why: 'Where case is ignored one tensor overwrites the other.',
  },
  'name/nul-shadow': {
    severity: 'critical',
    title: 'up to a NUL byte, a name is the same as another',
    hint: MALFORMED,
    why: 'C loaders end the name at the NUL and take the first of the two, others keep both: one file, two models.',
  },
  'name/path': {
    severity: 'medium',
    title: 'a name leads out of its folder when it is used as a path',
    hint: 'do not unpack the file with tools that make a file of each tensor',
    why: 'Converters that write one file per tensor write where the name says.',
    references: ['CWE-22'],
  },
  'name/shell': {
    severity: 'medium',
    title: 'a name holds characters that a shell acts on',
    hint: 'do not hand the name to scripts; rename the tensor',
    why: 'Scripts that put names into command lines run what follows the semicolon.',
    references: ['CWE-78'],
  },
  'name/empty': {
    severity: 'low',
    title: 'a tensor has an empty name',
    hint: 'ask the publisher how the file was made; some loaders refuse the tensor',
    why: 'Tools that list tensors by name show nothing where the tensor is.',
  },
  'name/reserved': {
    severity: 'medium',
    title: 'a name is lost by readers that keep names in plain JavaScript objects',
    hint: 'rename the tensor',
    why: 'A tensor named __proto__ vanishes from what a website shows of the file and is loaded all the same.',
    references: ['CWE-1321'],
  },
  'name/length': {
    severity: 'medium',
    title: 'a name is longer than any program makes',
    hint: 'inspect the name: it is long enough to carry something else',
    why: 'Names are copied around unlooked at, so a long one carries data, or overflows the buffer of a careless reader.',
  },
  'name/index': {
    severity: 'medium',
    title: 'a tensor name has a layer number that no model has',
    hint: 'do not load the file as a control vector; inspect the name',
    why: 'Loaders of control vectors take the number in direction.536870912 as an index and multiply it until it wraps.',
    references: ['CWE-190'],
  },
} as const satisfies Record<string, Rule>;
