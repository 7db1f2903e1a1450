// What the server itself says it has loaded. Hot loading changes a model without touching a verified file, so servers are asked:
// llama.cpp (/lora-adapters), vLLM and its like (/v1/models), Ollama (/api/ps, /api/show). Read as foreign text.
import type { Mbom } from '../../../proof/bom/mbom.ts';
import { type Answer, type Client, jsonOf } from './client.ts';
import { says, type Witness } from './witness.ts';

interface Loaded {
  /** As the server names it. */
  readonly name: string;
  /** Path or digest of what was loaded, if the server tells. */
  readonly from: string | null;
  readonly active: boolean;
}

/** What an endpoint reports; null: it reports no adapters at all. */
type Reader = (value: unknown) => readonly Loaded[] | null;

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const text = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, 1000) : null);

/** `[{id, path, scale}]`. */
const llamaCpp: Reader = (value) =>
  Array.isArray(value)
    ? value.map((one) => {
        const { id, path, scale } = record(one);
        return { name: text(path) ?? String(id), from: text(path), active: scale !== 0 };
      })
    : null;

/** `{data: [{id, root, parent}]}`: a model with a parent is an adapter. Servers without `parent` say nothing about adapters. */
const openAi: Reader = (value) => {
  const { data } = record(value);
  if (!Array.isArray(data) || !data.some((one) => 'parent' in record(one))) return null;
  return data
    .map(record)
    .filter(({ parent }) => parent !== null && parent !== undefined)
    .map(({ id, root }) => ({ name: text(id) ?? '', from: text(root), active: true }));
};

const ENDPOINTS: readonly (readonly [string, Reader])[] = [
  ['/lora-adapters', llamaCpp],
  ['/v1/models', openAi],
];

export async function adapterLook(
  client: Client,
  url: string,
  headers: Readonly<Record<string, string>>,
  mbom: Mbom,
): Promise<Witness> {
  const unread: string[] = [];
  for (const [path, reader] of ENDPOINTS) {
    const answer = await client.ask(url + path, { headers });
    const loaded = answer.status === 200 ? reader(jsonOf(answer)) : null;
    if (loaded !== null) return judged(loaded, path, mbom);
    if (isUnclear(answer)) unread.push(`${path} answers ${answer.status}`);
  }
  const ollama = await ollamaLook(client, url, headers, mbom);
  if (ollama !== null) return ollama;
  return unread.length > 0
    ? says('adapters', 'inconclusive', unread.join(', '))
    : says('adapters', null, 'this server has no endpoint that reports adapters');
}

/** It is there and did not tell. */
const isUnclear = ({ status }: Answer): boolean => status === 401 || status === 403 || status >= 500;

function judged(loaded: readonly Loaded[], path: string, { adapter, files }: Mbom): Witness {
  const names = loaded.map(({ name }) => name).join(', ');
  if (adapter === undefined) {
    return loaded.length === 0
      ? says('adapters', 'ok', `${path}: no adapter is loaded`)
      : says('adapters', 'adapter-mismatch', `${path}: the release has no adapter, loaded is ${names}`);
  }
  const [only, ...more] = loaded;
  if (only === undefined || more.length > 0 || !only.active) {
    const what = only === undefined ? 'none' : only.active ? names : `${names}, switched off`;
    return says('adapters', 'adapter-mismatch', `${path}: the release has one adapter, loaded is ${what}`);
  }
  const listed = files.some((file) => only.from !== null && `/${only.from}`.endsWith(`/${file.path}`));
  if (listed) return says('adapters', 'ok', `${path}: the adapter of the release is loaded`);
  return says('adapters', null, `${path}: one adapter is loaded, and no file of the release has its path`);
}

/** Each loaded model by the blobs that its Modelfile names: their names are the digests of files. */
async function ollamaLook(
  client: Client,
  url: string,
  headers: Readonly<Record<string, string>>,
  { files }: Mbom,
): Promise<Witness | null> {
  const answer = await client.ask(`${url}/api/ps`, { headers });
  const { models } = record(answer.status === 200 ? jsonOf(answer) : undefined);
  if (!Array.isArray(models)) return null;
  const known = new Set(files.map(({ sha256 }) => sha256));
  for (const one of models.slice(0, 100)) {
    const name = text(record(one).name) ?? '';
    const body = JSON.stringify({ model: name });
    const shown = await client.ask(`${url}/api/show`, { method: 'POST', headers, body });
    const modelfile = text(record(jsonOf(shown)).modelfile) ?? '';
    const blobs = [...modelfile.matchAll(/^(?:FROM|ADAPTER)\s.*sha256-([0-9a-f]{64})\s*$/gm)].map(
      ([, hex]) => hex!,
    );
    if (blobs.length === 0) return says('adapters', 'inconclusive', `/api/show names no blob of ${name}`);
    const foreign = blobs.find((hex) => !known.has(hex));
    if (foreign !== undefined) {
      return says(
        'adapters',
        'adapter-mismatch',
        `/api/ps: ${name} has loaded sha256:${foreign}, not in the release`,
      );
    }
  }
  return models.length === 0
    ? says('adapters', null, '/api/ps: no model is loaded at the moment')
    : says('adapters', 'ok', '/api/ps: what is loaded are files of the release');
}
