// Where to look: addresses from a list, or the pods of a selector.
import { SteelyardError } from '../../rules/error.ts';

export interface Target {
  /** What reports call it. */
  readonly name: string;
  /** Without a slash at the end; null: it has no address (yet). */
  readonly url: string | null;
  readonly pod: PodFacts | null;
}

/** What the API server says of a pod. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** `imageID` of the container that serves the model; null: it has none yet. */
  readonly imageId: string | null;
  /** How it can be taken out of rotation: its readiness gate, or the label that the Service selects. */
  readonly way: 'readiness' | 'label' | null;
  /** Steelyard took it out earlier; only a person puts it back. */
  readonly out: boolean;
  /** It waits for the first True of its readiness gate. */
  readonly waiting: boolean;
}

/** More than any one service has; a list of a million lines is a mistake. */
const MOST = 10_000;

/**
 * Reads a list: one address a line, a name before it if it needs one, `#` begins a comment.
 *
 * @throws SteelyardError USAGE, with the line.
 */
export function readTargets(text: string, name: string, insecure: boolean): readonly Target[] {
  const targets = text.split(/\r?\n/).flatMap((line, index) => {
    const words = line
      .replace(/(^|\s)#.*/, '')
      .trim()
      .split(/\s+/)
      .filter(Boolean);
    if (words.length === 0) return [];
    const wrong = (reason: string): SteelyardError =>
      new SteelyardError('USAGE', `${name}:${index + 1}: ${reason}`);
    if (words.length > 2) throw wrong('expected an address, or a name and an address');
    const url = readAddress(words.at(-1)!, insecure, wrong);
    return [{ name: words[0]!, url, pod: null }];
  });
  if (targets.length > MOST) throw new SteelyardError('LIMIT', `${name} has more than ${MOST} targets`);
  const names = new Set(targets.map(({ name: one }) => one));
  if (names.size < targets.length) throw new SteelyardError('USAGE', `${name}: a target is there twice`);
  return targets;
}

function readAddress(text: string, insecure: boolean, wrong: (reason: string) => SteelyardError): string {
  if (!URL.canParse(text)) throw wrong('not a URL');
  const { protocol, hostname, username, password, search, hash, origin, pathname } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') throw wrong('only https: and http:');
  if (username !== '' || password !== '') throw wrong('no user and password in an address');
  if (search !== '' || hash !== '') throw wrong('no query and no fragment in an address');
  // Whoever is on the way can answer in its place, and vouch for anything.
  if (protocol === 'http:' && !isLoopback(hostname) && !insecure) throw wrong('http: needs --insecure');
  return origin + pathname.replace(/\/+$/, '');
}

const isLoopback = (hostname: string): boolean =>
  /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === '[::1]' || hostname === 'localhost';
