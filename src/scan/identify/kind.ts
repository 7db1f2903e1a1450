// Kinds of files, and what each means to whoever loads it: the closed list.
import type { Violation } from '../../document/violations.ts';

/** Whether loading a file may run what is in it, whether it may hold weights, or neither. */
type Role = 'runs' | 'weights' | 'data';

const TABLE = {
  safetensors: ['weights', 'safetensors'],
  gguf: ['weights', 'GGUF'],
  pickle: ['runs', 'a Python pickle'],
  pytorch: ['runs', 'a pickle in an archive, as PyTorch writes it'],
  torchscript: ['runs', 'TorchScript'],
  program: ['runs', 'a program'],
  script: ['runs', 'a script'],
  python: ['runs', 'Python source'],
  bytecode: ['runs', 'compiled Python'],
  notebook: ['runs', 'a notebook'],
  keras: ['weights', 'a Keras model'],
  hdf5: ['weights', 'HDF5'],
  onnx: ['weights', 'ONNX'],
  tflite: ['weights', 'TensorFlow Lite'],
  tensorflow: ['weights', 'a TensorFlow graph'],
  numpy: ['weights', 'NumPy arrays'],
  msgpack: ['weights', 'MessagePack'],
  archive: ['weights', 'an archive'],
  compressed: ['weights', 'compressed bytes'],
  database: ['weights', 'a database'],
  unknown: ['weights', 'of a kind that is not known'],
  sentencepiece: ['data', 'a SentencePiece model'],
  json: ['data', 'JSON'],
  text: ['data', 'text'],
  image: ['data', 'an image'],
  media: ['data', 'sound, film, a font or a document'],
  empty: ['data', 'empty'],
} as const satisfies Record<string, readonly [Role, string]>;

export type Kind = keyof typeof TABLE;

/** What was found out about one file. */
export interface Content {
  readonly kind: Kind;
  readonly violations: readonly Violation[];
  /** What config.json says of the quantisation of the weights beside it: 'fp8', 'gptq'. */
  readonly quantised?: string;
}

export const KINDS = Object.keys(TABLE) as [Kind, ...Kind[]];

/** examined: read by one of our readers. identified: its kind is known from its content. hashed: only digested. */
export const STATES = ['examined', 'identified', 'hashed'] as const;
export type State = (typeof STATES)[number];

/** For people: 'a Python pickle'. */
export const kindWords = (kind: Kind): string => TABLE[kind][1];

export const roleOf = (kind: Kind): Role => TABLE[kind][0];

export interface Looked {
  readonly format: string | null;
  readonly kind?: Kind;
  readonly state?: State;
}

/**
 * A file that nobody looked into, and that can run or can hold weights: what a gate must not pass unseen. A weight file whose
 * header could not be read was looked into, and has critical findings.
 */
export const isUnexamined = ({ format, kind, state }: Looked): boolean =>
  format === null && state !== 'examined' && (kind === undefined || roleOf(kind) !== 'data');
