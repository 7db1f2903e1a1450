// The Hub's token, from where its own client keeps it. It is held here, sent to the endpoint alone, and written nowhere.
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SourceOptions } from '../store.ts';

const MAX_TOKEN = 4096;

/** null: nobody has logged in. */
export function hubToken(env: SourceOptions['env']): string | null {
  const token = env.HF_TOKEN ?? (env.HF_HUB_DISABLE_IMPLICIT_TOKEN === '1' ? null : stored(env));
  return token !== null && /^[\x21-\x7e]+$/.test(token.trim()) ? token.trim() : null;
}

export const hubHome = (env: SourceOptions['env']): string =>
  env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache'), 'huggingface');

function stored(env: SourceOptions['env']): string | null {
  const path = env.HF_TOKEN_PATH ?? join(hubHome(env), 'token');
  try {
    return statSync(path).size <= MAX_TOKEN ? readFileSync(path, 'utf8') : null;
  } catch {
    return null; // no token is the usual case
  }
}
