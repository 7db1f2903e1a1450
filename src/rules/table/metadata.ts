// Rules of what the metadata's values carry.
import { ATLAS_MANIPULATED_MODEL, ATLAS_UNSAFE_ARTIFACT, type Rule, SUPPLY_CHAIN } from '../rule.ts';

export const METADATA = {
  'metadata/payload': {
    severity: 'high',
    title: 'a metadata value contains a file of a different format',
    hint: 'decode the value in a safe place; no loader needs a program, an archive or a pickle there',
    why: 'Metadata is copied along by every program and read by hardly any: a stager finds its payload in it.',
    references: [ATLAS_MANIPULATED_MODEL, ATLAS_UNSAFE_ARTIFACT],
  },
  'metadata/encoded': {
    severity: 'low',
    title: 'a metadata value holds a long run of encoded bytes',
    hint: 'ask the publisher what the bytes are; signatures and certificates are shorter',
    why: 'Encrypted or compressed, a payload shows no magic: all that can be seen is that it is there.',
  },
  'metadata/large': {
    severity: 'low',
    title: 'a metadata value is larger than 64 KiB under a key that is not known for large values',
    hint: 'look at the value',
    why: 'Programs that read headers keep all of the metadata in memory and print it: large values hide others.',
  },
  'metadata/script': {
    severity: 'medium',
    title: 'a metadata value contains code that a browser would run',
    hint: 'do not show the metadata in a web page that does not escape it',
    why: 'Model hubs and viewers show metadata in pages: script in it acts in the name of whoever looks at the model.',
    references: ['CWE-79'],
  },
  'metadata/link': {
    severity: 'info',
    title: 'a metadata value links to a web page under a key that is not meant for links',
    hint: 'check where the link leads before you follow it',
    why: 'A link in a model has the credit of the model: people and agents follow it.',
  },
  'metadata/path': {
    severity: 'medium',
    title: 'a path in the metadata leads out of the folder of the model',
    hint: 'do not load the model with a library that takes its configuration from the metadata',
    why: 'A library that opens the path reads a file of the attacker, and on Windows a network path gives away the password hash of the user.',
    references: ['CWE-22', 'CWE-73'],
  },
  'metadata/config': {
    severity: 'medium',
    title: 'configuration in the metadata is not strict JSON',
    hint: 'compare what your library reads with what stands there',
    why: 'Of a key that stands there twice one parser takes the first value, another the last: reviewed is one, used the other.',
    references: [SUPPLY_CHAIN],
  },
  'metadata/code': {
    severity: 'high',
    title: 'configuration in the metadata names code to import',
    hint: 'do not load the file with PEFT, diffusers or transformers; ask what the module is for',
    why: 'auto_map and parent_library decide which module is imported: a weight file that is data only turns into code.',
    references: ['https://github.com/huggingface/diffusers/pull/11324', ATLAS_UNSAFE_ARTIFACT],
  },
  'metadata/lora': {
    severity: 'medium',
    title: 'rank or alpha in the metadata does not fit the tensors',
    hint: 'compare with adapter_config.json; loaders that take alpha from the metadata scale the adapter by it',
    why: 'Alpha over rank multiplies the adapter: weights that look small act at any strength, in those loaders only.',
    references: ['https://github.com/sgl-project/sglang/issues/36082'],
  },
} as const satisfies Record<string, Rule>;
