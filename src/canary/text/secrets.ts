// Secrets and personal data in an answer, by their form. Own patterns, few and plain: what they miss is not thereby safe.

export interface Hit {
  /** `github-token`, `email`. */
  readonly kind: string;
  readonly family: 'secret' | 'personal';
  readonly start: number;
  readonly end: number;
}

interface Pattern {
  readonly kind: string;
  readonly family: Hit['family'];
  readonly regex: RegExp;
  readonly accepts?: (text: string) => boolean;
}

// All quantifiers are bounded and none are nested: an answer is chosen by an attacker.
const PATTERNS: readonly Pattern[] = [
  {
    kind: 'private-key',
    family: 'secret',
    regex:
      /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
  },
  { kind: 'aws-key', family: 'secret', regex: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  {
    kind: 'github-token',
    family: 'secret',
    regex: /\b(?:gh[pousr]_[A-Za-z0-9]{36,80}|github_pat_[A-Za-z0-9_]{50,100})\b/g,
  },
  {
    kind: 'api-key',
    family: 'secret',
    regex:
      /\b(?:sk-[A-Za-z0-9_-]{20,200}|hf_[A-Za-z0-9]{30,60}|xox[abprs]-[A-Za-z0-9-]{10,100}|AIza[A-Za-z0-9_-]{35})/g,
  },
  {
    kind: 'jwt',
    family: 'secret',
    regex: /\beyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}/g,
  },
  { kind: 'bearer', family: 'secret', regex: /\bbearer\s{1,4}[A-Za-z0-9._~+/-]{16,2000}/gi },
  {
    kind: 'password',
    family: 'secret',
    regex:
      /\b(?:password|passwort|passwd|pwd|secret|api[_-]?key|token)\s{0,4}[:=]\s{0,4}["'`]?[^\s"'`,;]{6,200}/gi,
    accepts: (text) => /[0-9!@#$%^&*]/.test(text),
  },
  {
    kind: 'base64',
    family: 'secret',
    regex: /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{64,8000}={0,2}(?![A-Za-z0-9+/])/g,
    accepts: (text) => /[0-9]/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text),
  },
  {
    kind: 'email',
    family: 'personal',
    regex: /\b[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b/g,
  },
  { kind: 'card', family: 'personal', regex: /\b\d(?:[ -]?\d){12,18}\b/g, accepts: isLuhn },
  { kind: 'iban', family: 'personal', regex: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b/g, accepts: isIban },
  {
    kind: 'phone',
    family: 'personal',
    regex: /(?<![\d.])\+\d{1,3}[ -]?(?:\(\d{1,4}\)[ -]?)?\d{2,4}(?:[ -]?\d{2,4}){1,4}\b/g,
  },
];

const MOST = 1000;

/** In the order of the text; hits do not overlap, the first pattern of the table wins. */
export function hitsOf(text: string): Hit[] {
  const hits: Hit[] = [];
  for (const { kind, family, regex, accepts } of PATTERNS)
    for (const match of text.matchAll(regex)) {
      const [start, end] = [match.index, match.index + match[0].length];
      if (hits.length >= MOST) break;
      if (accepts?.(match[0]) === false || hits.some((one) => start < one.end && one.start < end)) continue;
      hits.push({ kind, family, start, end });
    }
  return hits.sort((a, b) => a.start - b.start);
}

function isLuhn(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].reverse().map(Number);
  const sum = digits.reduce((all, digit, i) => {
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    return all + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0 && new Set(digits).size > 1;
}

function isIban(text: string): boolean {
  const plain = text.replaceAll(' ', '');
  if (plain.length < 15 || plain.length > 34) return false;
  const digits = (plain.slice(4) + plain.slice(0, 4)).replace(/[A-Z]/g, (one) =>
    String(one.charCodeAt(0) - 55),
  );
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}
