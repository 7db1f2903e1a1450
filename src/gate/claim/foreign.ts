// JSON that somebody else wrote, read field by field. Strict as a header: no key twice, no lone surrogate, nothing after the
// value, 64 levels at most. Each field is asked for by name and type, so that a wrong one is named in the refusal.
import { JsonReader } from '../../document/json/reader.ts';
import { Fault, Violations } from '../../document/violations.ts';
import { deny, type GateCode } from '../verdict/denial.ts';

const SHOWN = 160;

/** Refuses with `code`, MALFORMED_EVIDENCE if none is given. */
export function readForeign(bytes: Uint8Array, code: GateCode = 'MALFORMED_EVIDENCE'): Foreign {
  const violations = new Violations();
  let rest = false;
  try {
    const reader = new JsonReader(bytes, 0, violations);
    reader.skip();
    rest = !Number.isNaN(reader.peek());
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    violations.report(error.rule, error.message, error.place);
  }
  const [first] = violations.list();
  if (first !== undefined) deny(code, `it is not strict JSON: ${first.message}, at byte ${first.offset}`);
  if (rest) deny(code, 'something follows the JSON value');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  return new Foreign(JSON.parse(text), '', code);
}

/** A value and where it stands. Every getter refuses what is not of its type. */
export class Foreign {
  readonly value: unknown;
  readonly path: string;
  readonly #code: GateCode;

  constructor(value: unknown, path: string, code: GateCode) {
    this.value = value;
    this.path = path;
    this.#code = code;
  }

  /** Absent and null are the same: Go writes either for nothing. */
  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  wrong(what: string): never {
    return deny(this.#code, `${this.path === '' ? 'the document' : this.path.slice(0, SHOWN)} ${what}`);
  }

  get(name: string): Foreign {
    const path = this.path === '' ? name : `${this.path}.${name}`;
    return new Foreign(this.#own(name), path, this.#code);
  }

  #own(name: string): unknown {
    const fields = this.#object();
    return Object.hasOwn(fields, name) ? fields[name] : undefined;
  }

  #object(): Record<string, unknown> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      return this.wrong('must be an object');
    return this.value as Record<string, unknown>;
  }

  /** No field but these: what is signed and not understood may mean something to another reader. */
  only(...names: readonly string[]): this {
    for (const key of Object.keys(this.#object()))
      if (!names.includes(key)) this.get(key).wrong('is not a field that is known here');
    return this;
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.wrong('must be text');
  }

  maybeText(): string | null {
    return this.absent ? null : this.text();
  }

  number(): number {
    return typeof this.value === 'number' && Number.isFinite(this.value)
      ? this.value
      : this.wrong('must be a number');
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.wrong('must be true or false');
  }

  list(): readonly Foreign[] {
    if (!Array.isArray(this.value)) return this.wrong('must be a list');
    return this.value.map((item, index) => new Foreign(item, `${this.path}[${index}]`, this.#code));
  }

  /** An absent list is an empty one. */
  maybeList(): readonly Foreign[] {
    return this.absent ? [] : this.list();
  }

  entries(): readonly (readonly [string, Foreign])[] {
    return Object.keys(this.#object()).map((key) => [key, this.get(key)] as const);
  }

  /** Whether there is an object here at all. */
  get isObject(): boolean {
    return typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value);
  }

  /** 64 lower-case hex digits, without a prefix. */
  hex(): string {
    const text = this.text();
    return /^[0-9a-f]{64}$/.test(text) ? text : this.wrong('must be 64 lower-case hex digits');
  }

  /** `sha256:` and 64 lower-case hex digits. */
  digest(): string {
    const text = this.text();
    return DIGEST.test(text) ? text : this.wrong('must be a digest, sha256: and 64 lower-case hex digits');
  }

  /** Milliseconds; null: none, or a time that stands for none (`0001-01-01T00:00:00Z`, before 2015, empty). */
  time(): number | null {
    const text = this.maybeText();
    if (text === null || text === '') return null;
    const time = instant(text);
    if (Number.isNaN(time)) return this.wrong('must be a time as in RFC 3339');
    return time < EARLIEST ? null : time;
  }
}

export const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** No evidence about a model that runs today is older: such a time is a default that nobody set. */
const EARLIEST = Date.UTC(2015, 0, 1);

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds of an RFC 3339 time; NaN: it is none. */
export function instant(text: string): number {
  if (!RFC3339.test(text)) return Number.NaN;
  // Date takes three digits of a fraction everywhere, and more only in some engines.
  const time = Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
  // Date moves 31 February into March: a calendar that was not meant.
  const [year, month, day] = text.split(/[-T]/, 3).map(Number) as [number, number, number];
  return day > new Date(Date.UTC(year, month, 0)).getUTCDate() ? Number.NaN : time;
}
