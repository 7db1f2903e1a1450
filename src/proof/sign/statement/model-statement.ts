// The statement of OpenSSF Model Signing: the files of a model as the predicate, their root digest as the subject.
import { list, matching, oneOf, openObject, optional, text } from '../../../document/check.ts';
import { accepted, type ModelPredicateJson, modelPredicateSchema } from '../bundle/bundle-schema.ts';
import { refuse } from '../refusal.ts';
import { type Manifest, type Resource, rootDigest } from './manifest.ts';
import { assertDistinct, isPlainPath } from './path.ts';
import { type Statement, writeStatement } from './statement.ts';

const PREDICATE = 'https://model_signing/signature/v1.0';
/** Version 0.2.0 of the reference listed the files as subjects, without a root digest. */
export const LEGACY_PREDICATE = 'https://model_signing/Digests/v0.1';

/** A model that is one file: the Python implementation names it so, both others accept it. */
export const SINGLE = '.';

interface SignedModel extends Manifest {
  /** As the signer called it. For people: nothing depends on it. */
  readonly name: string;
  /** Paths that the signer left out. */
  readonly ignored: readonly string[];
}

export function writeModelStatement({ name, resources, root, ignored }: SignedModel): Buffer {
  return writeStatement([{ name, digest: { sha256: root } }], PREDICATE, {
    serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: ignored },
    resources: resources.map(({ name, sha256 }) => ({ name, algorithm: 'sha256', digest: sha256 })),
  });
}

/** What a verified statement says was signed. Refuses names that leave the model, names that stand twice, another root. */
export function readModelStatement(statement: Statement): SignedModel {
  if (statement.predicateType === LEGACY_PREDICATE) return readLegacy(statement);
  if (statement.predicateType !== PREDICATE) {
    refuse('UNSUPPORTED_BUNDLE', 'the statement is no model signature', {
      expected: PREDICATE,
      actual: statement.predicateType,
    });
  }
  const { serialization, resources: listed } = accepted(
    isModelPredicate,
    modelPredicateSchema,
    statement.predicate,
    'predicate',
  );
  const { method, hash_type, ignore_paths = [] } = serialization;
  if (hash_type !== 'sha256') {
    refuse('UNSUPPORTED_BUNDLE', `the model was hashed with ${hash_type}; a scan takes SHA-256`);
  }
  const [subject, ...more] = statement.subject;
  if (more.length > 0) refuse('MALFORMED_BUNDLE', 'a model signature has one subject, this one has more');
  const resources = listed.map(({ name, digest }) => ({ name, sha256: digest }));
  const root = rootDigest(resources);
  if (root !== subject!.digest.sha256) {
    refuse(
      'ROOT_MISMATCH',
      'the root digest is not that of the files listed: the statement contradicts itself',
      {
        expected: subject!.digest.sha256,
        actual: root,
      },
    );
  }
  const files = method === 'shards' ? wholeFiles(resources) : resources;
  if (method === 'files' && listed.some(({ algorithm }) => algorithm !== 'sha256'))
    refuse('MALFORMED_BUNDLE', 'a model signed by files lists the digest of a shard');
  const odd = ignore_paths.find((path) => !isPlainPath(path));
  if (odd !== undefined)
    refuse('PATH_ESCAPE', 'a path that is left out is no plain relative path', { file: odd });
  return { name: subject!.name, resources: distinct(files), root, ignored: ignore_paths };
}

/** As `modelPredicateSchema` says it. */
export const isModelPredicate = openObject<ModelPredicateJson>({
  serialization: openObject<ModelPredicateJson['serialization']>({
    method: oneOf('files', 'shards'),
    hash_type: matching(/^.{0,40}$/su),
    ignore_paths: optional(list(text)),
  }),
  resources: list(
    openObject({
      name: text,
      algorithm: matching(/^sha256(-sharded-\d+(\.0)?)?$/),
      digest: matching(/^[0-9a-f]{64}$/),
    }),
    1,
  ),
});

function readLegacy({ subject }: Statement): SignedModel {
  const resources = distinct(subject.map(({ name, digest }) => ({ name, sha256: digest.sha256 })));
  return { name: '', resources, root: rootDigest(resources), ignored: [] };
}

// `path:0:size`: one shard that begins a file. A second one means that the file was hashed in parts, which a scan does not;
// a file that is cut off after its first shard has another digest than what is there.
function wholeFiles(resources: readonly Resource[]): Resource[] {
  return resources.map(({ name, sha256 }) => {
    const [, path, start] =
      /^(.+):(\d+):(\d+)$/s.exec(name) ?? refuse('MALFORMED_BUNDLE', 'a shard has no range');
    if (Number(start) !== 0) {
      refuse('UNSUPPORTED_BUNDLE', 'a file was signed in several shards; sign the model again by files', {
        file: path!,
      });
    }
    return { name: path!, sha256 };
  });
}

function distinct(resources: readonly Resource[]): readonly Resource[] {
  const alone = resources.length === 1 && resources[0]!.name === SINGLE;
  if (!alone) assertDistinct(resources.map(({ name }) => name));
  return resources;
}
