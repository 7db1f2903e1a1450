// Rules of low-rank adapters: their factors, their configuration and their base model.
import { ATLAS_MANIPULATED_MODEL, POISONING, type Rule, SUPPLY_CHAIN } from '../rule.ts';

const LORA = 'Hu et al. 2021, arXiv:2106.09685, section 4.1';
const PEFT = 'huggingface/peft src/peft/tuners/lora/config.py (LoraConfig)';
const LLAMA_CPP = 'llama.cpp src/llama-adapter.cpp';

export const ADAPTER = {
  'adapter/config': {
    severity: 'high',
    title: 'adapter_config.json cannot be read in one way only',
    hint: 'do not load the adapter; get its configuration again from the source of the weights',
    why: 'The configuration decides how strongly the adapter acts and what it replaces: of a key that stands there twice one library takes the first value, another the last.',
    references: [PEFT, SUPPLY_CHAIN],
  },
  'adapter/config-missing': {
    severity: 'info',
    title: 'an adapter without its adapter_config.json: how strongly it acts is not known',
    hint: 'scan the whole folder of the adapter, with its configuration',
    why: 'Weights that look small act at any strength, because the scale stands in another file.',
    references: [PEFT],
  },
  'adapter/kind': {
    severity: 'info',
    title: 'an adapter of a kind that is not checked',
    hint: 'compare it with a copy that you trust: steelyard check --baseline',
    why: 'What its tensors mean is not known here, so nothing says that they are what its configuration promises.',
  },
  'adapter/pattern': {
    severity: 'info',
    title: 'a regular expression of the configuration was not evaluated',
    hint: 'compare by hand which modules it selects, or ask for an adapter that lists them by name',
    why: 'It needs an engine that backtracks, which an attacker can keep busy for ever: targets, rank or scale of some modules were not checked.',
    references: ['CWE-1333'],
  },
  'adapter/unpaired': {
    severity: 'high',
    title: 'an update of an adapter lacks one of its factors',
    hint: 'do not load the adapter; get it again from its source',
    why: 'Loaders fill the missing factor with zeros or with noise, or refuse: what was reviewed is not what runs.',
    references: [LORA, LLAMA_CPP],
  },
  'adapter/rank': {
    severity: 'high',
    title: 'the rank of an update is not what its other factor or the configuration says',
    hint: 'do not load the adapter; ask its publisher for the configuration that it was trained with',
    why: 'Some loaders divide alpha by the rank of the configuration, others by that of the tensors: the same adapter acts at another strength in each.',
    references: [PEFT, LLAMA_CPP],
  },
  'adapter/target': {
    severity: 'high',
    title: 'an adapter changes a module that its configuration does not select',
    hint: 'find out who added it: training writes only what target_modules selects',
    why: 'PEFT passes over the tensor, loaders that go by the tensors apply it: the update that was tested is not the one that is served.',
    references: [PEFT, ATLAS_MANIPULATED_MODEL],
  },
  'adapter/undeclared': {
    severity: 'high',
    title: 'an adapter holds a tensor that its configuration does not announce',
    hint: 'find out what it replaces; a low-rank adapter needs no tensor of full rank that modules_to_save does not name',
    why: 'It takes the place of a layer of the base model as a whole, where nobody who looks at rank and alpha looks for it.',
    references: [PEFT, ATLAS_MANIPULATED_MODEL, POISONING],
  },
  'adapter/embedding': {
    severity: 'medium',
    title: 'an adapter replaces a token embedding or an output head',
    hint: 'ask whether the vocabulary was resized for training, and give the base model: --base',
    why: 'PEFT writes it when tokens were added; it is also all that is needed to give a trigger word another meaning.',
    references: [PEFT, POISONING],
  },
  'adapter/saved': {
    severity: 'info',
    title: 'an adapter replaces whole layers or rows, as its configuration says',
    hint: 'review these tensors like those of a model: they are not bound by the rank',
    why: 'A layer that is replaced as a whole can do what no update of low rank can.',
    references: [PEFT],
  },
  'adapter/scale': {
    severity: 'info',
    title: 'what the product of the factors is multiplied by',
    hint: 'compare it with what the publisher says; the weights alone do not show it',
    why: 'The scale decides how strongly an adapter acts, and stands beside the weights, not in them.',
    references: [LORA, 'Kalajdzievski 2023, arXiv:2312.03732 (rsLoRA)'],
  },
  'adapter/scale-extreme': {
    severity: 'high',
    title: 'an adapter is multiplied by a number that no training uses',
    hint: 'do not load the adapter; ask for the configuration that it was trained with',
    why: 'Factors that look harmless overwrite the model when alpha is huge; a negative one turns around what was learned.',
    references: [LORA, ATLAS_MANIPULATED_MODEL],
  },
  'adapter/untrained': {
    severity: 'info',
    title: 'updates of an adapter are zero',
    hint: 'make sure that this is the adapter that was trained',
    why: 'One factor begins as zeros: where it still is, the module was never trained, and what was tested is the base model.',
    references: [LORA],
  },
  'adapter/shape': {
    severity: 'high',
    title: 'an update does not fit the tensor that it is for',
    hint: 'make sure that this is the base model of the adapter',
    why: 'The adapter is for another model, or was made for one by hand.',
    references: [LLAMA_CPP],
  },
  'adapter/base': {
    severity: 'high',
    title: 'an adapter changes a module that its base model does not have',
    hint: 'make sure that this is the base model of the adapter',
    why: 'Loaders pass over it or refuse; who tests with one that passes over tests less than what he ships.',
    references: [LLAMA_CPP],
  },
} as const satisfies Record<string, Rule>;
