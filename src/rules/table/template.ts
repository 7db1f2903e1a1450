// Rules of chat templates. A template is a program that runs at each request and writes what the model reads: code in it is
// critical whatever sandbox a loader has; words of its own that depend on what a user says are high, because no family of
// models needs them; what is odd but has honest uses somewhere is medium.
import {
  ATLAS_MANIPULATED_MODEL,
  ATLAS_SUPPLY_CHAIN,
  ATLAS_UNSAFE_ARTIFACT,
  type Rule,
  SUPPLY_CHAIN,
} from '../rule.ts';

const REPLACE =
  "do not load the model with this template; take the template from the model's original publisher";
const READ = 'read the template at the line named, and compare it with the one of the original publisher';

const INJECTION = [
  'CVE-2024-34359 (llama-cpp-python)',
  'CVE-2026-5760 (SGLang)',
  'CWE-1336 (template injection)',
  ATLAS_UNSAFE_ARTIFACT,
  SUPPLY_CHAIN,
];
const PROMPT_INJECTION = 'OWASP LLM01:2025 Prompt Injection';
const ATLAS_PROMPT_INJECTION = 'MITRE ATLAS AML.T0051 (prompt injection)';
const BACKDOOR = [
  'Pillar Security, "LLM Backdoors at the Inference Level: The Threat of Poisoned Templates", 2025',
  PROMPT_INJECTION,
  ATLAS_PROMPT_INJECTION,
  ATLAS_MANIPULATED_MODEL,
];

export const TEMPLATE = {
  'template/python-internals': {
    severity: 'critical',
    title: "a chat template reaches for Python's internals",
    hint: REPLACE,
    why: 'From any value, __class__ and __globals__ lead to os.system: a loader that renders without a sandbox runs the code.',
    references: INJECTION,
  },
  'template/command': {
    severity: 'critical',
    title: 'a chat template names a module or calls a function that runs commands',
    hint: REPLACE,
    why: 'It is the end of every template injection: popen, system, eval or an import.',
    references: INJECTION,
  },
  'template/attr-filter': {
    severity: 'high',
    title: 'a chat template uses the filter attr',
    hint: REPLACE,
    why: 'The filter reads attributes whose names are data, which gets around filters that look for dots and underscores.',
    references: INJECTION,
  },
  'template/import': {
    severity: 'high',
    title: 'a chat template includes another template',
    hint: REPLACE,
    why: 'What was reviewed is then not what is rendered; with a file loader it reads files of the server.',
    references: ['CWE-1336 (template injection)', SUPPLY_CHAIN],
  },
  'template/global': {
    severity: 'high',
    title: 'a chat template uses an object of the renderer',
    hint: REPLACE,
    why: 'lipsum, cycler, joiner, self and config are the usual first step to the internals of Python.',
    references: INJECTION,
  },
  'template/computed-name': {
    severity: 'medium',
    title: 'a chat template puts the name of an attribute together from pieces',
    hint: READ,
    why: 'Names of internals are built from harmless strings so that a search does not find them.',
    references: ['CWE-1336 (template injection)'],
  },
  'template/computed-call': {
    severity: 'high',
    title: 'a chat template calls an attribute whose name only rendering puts together',
    hint: REPLACE,
    why: 'The last step of every template injection is a call; a chat template has no need of one whose name is data.',
    references: INJECTION,
  },
  'template/conditional-instruction': {
    severity: 'high',
    title: 'a chat template adds its own instructions to messages that contain certain words',
    hint: REPLACE,
    why: 'A backdoor that no weight shows: the model behaves until somebody uses the words, then follows the template.',
    references: BACKDOOR,
  },
  'template/conditional-link': {
    severity: 'high',
    title: 'a chat template adds a link to messages that contain certain words',
    hint: REPLACE,
    why: 'The model passes the link on as its own advice; an image in markdown carries the conversation to its server.',
    references: BACKDOOR,
  },
  'template/conditional-role': {
    severity: 'high',
    title: 'a chat template speaks as the system for messages that contain certain words',
    hint: REPLACE,
    why: 'A turn of the system outranks the user and the system prompt of whoever runs the model.',
    references: BACKDOOR,
  },
  'template/rewrite': {
    severity: 'high',
    title: 'a chat template removes or changes a message that contains certain words',
    hint: REPLACE,
    why: 'The model answers a question that nobody asked, or does not see the order that would have kept it safe.',
    references: BACKDOOR,
  },
  'template/link-with-data': {
    severity: 'high',
    title: 'a chat template puts what somebody wrote into an address',
    hint: REPLACE,
    why: 'An image or a link that the model repeats carries the conversation to the server that it names.',
    references: BACKDOOR,
  },
  'template/secrecy': {
    severity: 'low',
    title: 'a chat template instructs the model not to reveal its instructions',
    hint: READ,
    why: 'Usual in the prompts of assistants; a reviewer should know what the model does not tell.',
    references: BACKDOOR,
  },
  'template/covert-instruction': {
    severity: 'high',
    title: 'a chat template instructs the model to hide something or to ignore its instructions',
    hint: REPLACE,
    why: 'Instructions that must not be mentioned are not meant for the people who use the model.',
    references: BACKDOOR,
  },
  'template/injected-message': {
    severity: 'low',
    title: 'a chat template puts a message of its own into the conversation',
    hint: READ,
    why: 'The model cannot tell it from one that somebody sent.',
    references: BACKDOOR,
  },
  'template/url': {
    severity: 'low',
    title: 'a chat template puts a link into the prompt',
    hint: READ,
    why: 'The model may repeat the link, fetch it with a tool, or fill an address in with the conversation.',
    references: [PROMPT_INJECTION],
  },
  'template/nested': {
    severity: 'medium',
    title: 'a string of a chat template holds another template',
    hint: READ,
    why: 'A loader that renders twice runs the inner one.',
    references: ['CWE-1336 (template injection)'],
  },
  'template/hidden': {
    severity: 'medium',
    title: 'a chat template stands where a reviewer does not look',
    hint: 'read all templates of the file: loaders take a named one when a request has tools or asks for it by name',
    why: 'The default template is harmless; another one is used as soon as there are tools.',
    references: BACKDOOR,
  },
  'template/shadowed': {
    severity: 'high',
    title: 'two chat templates have one name, or seem to: loaders differ in which one they take',
    hint: REPLACE,
    why: 'One template is shown to reviewers and another one is run.',
    references: [ATLAS_SUPPLY_CHAIN, SUPPLY_CHAIN],
  },
  'template/disagreement': {
    severity: 'medium',
    title: 'documents of one folder hold different default chat templates',
    hint: 'keep one of them: which one is used depends on the loader and its version',
    why: 'The template that was reviewed is not the one that some loaders take.',
    references: [SUPPLY_CHAIN],
  },
  'template/invisible': {
    severity: 'high',
    title: 'a chat template contains invisible characters',
    hint: REPLACE,
    why: 'Bidi controls show code in another order than it runs in; tag characters spell text that only a model reads.',
    references: ['CVE-2021-42574 (Trojan Source)', PROMPT_INJECTION],
  },
  'template/homoglyph': {
    severity: 'medium',
    title: 'a word of a chat template mixes look-alike letters of two alphabets',
    hint: READ,
    why: 'A marker or a name that looks like the known one is another one.',
    references: ['CVE-2021-42694 (homoglyphs)'],
  },
  'template/encoded': {
    severity: 'medium',
    title: 'a chat template holds a long run of base64 or hex',
    hint: 'decode it and see what it is; honest templates are text',
    why: 'A payload or an instruction is kept out of sight; models read base64.',
    references: BACKDOOR,
  },
  'template/loop': {
    severity: 'high',
    title: 'a chat template does more work than any conversation needs',
    hint: REPLACE,
    why: 'A template runs at each request: one that never ends, or fills the memory, stops the server.',
    references: ['OWASP LLM10:2025 Unbounded Consumption'],
  },
  'template/unparsable': {
    severity: 'high',
    title: 'a chat template could not be parsed: nothing is known of what it does',
    hint: 'render it only with the loader it was made for, in a sandbox; what was searched is its text',
    why: 'What is not understood is not harmless: another parser may run what this one refused.',
    references: [SUPPLY_CHAIN],
  },
  'template/unreadable': {
    severity: 'medium',
    title: 'a document or value that should hold a chat template could not be read',
    hint: 'inspect it: more lenient loaders may find a template in it',
    why: 'What was not read was not inspected.',
    references: [SUPPLY_CHAIN],
  },
  'template/too-large': {
    severity: 'high',
    title: 'a chat template or its document is larger than any is, and was not inspected in full',
    hint: 'do not load it: a payload is padded so that scanners give up',
    why: 'What was not read was not inspected.',
    references: [SUPPLY_CHAIN],
  },
} as const satisfies Record<string, Rule>;
