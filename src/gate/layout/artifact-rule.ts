// The rules of in-toto (specification 1.0, 4.3.3) over a queue of artifacts. Each rule takes names out of the queue; what a DISALLOW
// still finds there fails. An implicit ALLOW * ends every list, so a list that does not end with DISALLOW * bounds nothing.
import type { Foreign } from '../claim/foreign.ts';
import { deny } from '../verdict/denial.ts';
import { fnmatch } from './fnmatch.ts';

/** SHA-256 by name. */
export type Artifacts = ReadonlyMap<string, string>;

export interface Link {
  readonly name: string;
  readonly materials: Artifacts;
  readonly products: Artifacts;
  readonly command: readonly string[];
}

export type Rule =
  | {
      readonly kind: 'CREATE' | 'DELETE' | 'MODIFY' | 'ALLOW' | 'DISALLOW' | 'REQUIRE';
      readonly pattern: string;
    }
  | {
      readonly kind: 'MATCH';
      readonly pattern: string;
      readonly from: string;
      readonly of: 'materials' | 'products';
      readonly source: string;
      readonly target: string;
    };

const SIMPLE = new Set(['CREATE', 'DELETE', 'MODIFY', 'ALLOW', 'DISALLOW', 'REQUIRE']);

/** Refuses with MALFORMED_LAYOUT, and substitutions (`{name}`, as in-toto-golang fills them) with UNSUPPORTED_LAYOUT. */
export function readRule(field: Foreign): Rule {
  const words = field.list().map((one) => one.text());
  if (words.some((word) => /\{[A-Za-z_]/.test(word)))
    return deny('UNSUPPORTED_LAYOUT', `${field.path} has a parameter, which is not filled in here`);
  const kind = (words[0] ?? '').toUpperCase();
  if (SIMPLE.has(kind) && words.length === 2) return { kind: kind as 'ALLOW', pattern: words[1]! };
  return kind === 'MATCH' ? matchRule(field, words) : field.wrong('is no rule of in-toto');
}

/** `MATCH p [IN source] WITH MATERIALS|PRODUCTS [IN target] FROM step` */
function matchRule(field: Foreign, words: readonly string[]): Rule {
  const rest = words.slice(2);
  const keyword = (word: string): boolean => rest[0]?.toUpperCase() === word;
  const taken = (word: string): string => {
    if (!keyword(word) || rest[1] === undefined) return field.wrong(`must have ${word} there`);
    return rest.splice(0, 2)[1]!;
  };
  const source = keyword('IN') ? prefix(taken('IN')) : '';
  const of = taken('WITH').toLowerCase();
  const target = keyword('IN') ? prefix(taken('IN')) : '';
  const from = taken('FROM');
  if ((of !== 'materials' && of !== 'products') || rest.length > 0 || words[1] === undefined)
    return field.wrong('is no MATCH rule of in-toto');
  return { kind: 'MATCH', pattern: words[1], from, of: of as 'products', source, target };
}

const prefix = (path: string): string => (path.endsWith('/') ? path : `${path}/`);

/** The last rule of a list that bounds what may be there. */
export const isClosed = (rules: readonly Rule[]): boolean => {
  const last = rules.at(-1);
  return last?.kind === 'DISALLOW' && last.pattern === '*';
};

/** Refuses with STEP_MISMATCH. */
export function applyRules(
  rules: readonly Rule[],
  which: 'materials' | 'products',
  link: Link,
  links: ReadonlyMap<string, Link>,
): void {
  const queue = new Set(link[which].keys());
  for (const rule of rules) {
    if (rule.kind === 'REQUIRE') {
      if (!queue.has(rule.pattern)) failed(link, which, `REQUIRE ${rule.pattern} finds nothing of that name`);
      continue;
    }
    const matched = [...queue].filter(matcher(rule));
    if (rule.kind === 'DISALLOW') {
      if (matched.length > 0)
        failed(link, which, `DISALLOW ${rule.pattern} finds ${matched.slice(0, 5).join(', ')}`);
      continue;
    }
    for (const name of matched) if (consumes(rule, name, which, link, links)) queue.delete(name);
  }
}

function matcher(rule: Rule): (name: string) => boolean {
  const match = fnmatch(rule.pattern);
  if (rule.kind !== 'MATCH') return match;
  return (name) => name.startsWith(rule.source) && match(name.slice(rule.source.length));
}

function consumes(
  rule: Exclude<Rule, never>,
  name: string,
  which: 'materials' | 'products',
  { materials, products, ...link }: Link,
  links: ReadonlyMap<string, Link>,
): boolean {
  switch (rule.kind) {
    case 'MATCH': {
      const other = links.get(rule.from)?.[rule.of].get(rule.target + name.slice(rule.source.length));
      const own = (which === 'materials' ? materials : products).get(name);
      return other !== undefined && other === own;
    }
    case 'CREATE':
      return products.has(name) && !materials.has(name);
    case 'DELETE':
      return materials.has(name) && !products.has(name);
    case 'MODIFY':
      return materials.has(name) && products.has(name) && materials.get(name) !== products.get(name);
    default:
      return link.name !== '';
  }
}

const failed = ({ name }: Link, which: string, what: string): never =>
  deny('STEP_MISMATCH', `the ${which} of step ${name} break a rule: ${what}`);
