// What rules and controls answer to in three public frameworks. A reading aid and no claim of compliance. Identifiers were checked
// against the repository of the OWASP Top 10 for LLM Applications 2025, a transcription of NIST AI RMF 1.0 (AI 100-1), and the data of MITRE ATLAS 5.6.0.

export interface Frameworks {
  readonly owasp: readonly string[];
  readonly nist: readonly string[];
  readonly atlas: readonly string[];
}

const of = (owasp: string, nist: string, atlas: string): Frameworks => {
  const list = (text: string): readonly string[] => (text === '' ? [] : text.split(', '));
  return { owasp: list(owasp), nist: list(nist), atlas: list(atlas) };
};

const WEIGHTS = of(
  'LLM04',
  'MEASURE 2.7',
  'AML.T0018.000, AML.T0018.001, AML.T0018.002, AML.T0020, AML.M0014',
);
const FORMAT = of('LLM03', 'MEASURE 2.7', 'AML.T0011.000, AML.T0018.002, AML.M0014');
const FILES = of('LLM03', 'MEASURE 2.7', 'AML.T0011.000, AML.T0018.002, AML.M0011');
/** What stands between people and the model. */
const TEXTS = of('LLM04', 'MEASURE 2.7', 'AML.T0018.001, AML.M0014');
const IMAGE = of('LLM03', 'MAP 4.2, MEASURE 2.7', 'AML.T0010.001, AML.T0010.004, AML.T0011.001, AML.M0016');
const TESTED = of('LLM09', 'MEASURE 2.1, MEASURE 2.3, MEASURE 2.5', '');
const SERVED = of('LLM03, LLM06', 'GOVERN 1.4', 'AML.T0010, AML.M0013');

/** By the family of a rule (`tensor` of `tensor/nan`), or the kind of a control of a gate policy. */
const PARTS: Readonly<Record<string, Frameworks>> = {
  header: FORMAT,
  gguf: FORMAT,
  tensor: FORMAT,
  shard: FORMAT,
  name: FORMAT,
  metadata: FORMAT,
  data: FORMAT,
  disguise: FORMAT,
  file: FILES,
  stats: WEIGHTS,
  forensics: WEIGHTS,
  compare: WEIGHTS,
  adapter: WEIGHTS,
  policy: WEIGHTS,
  template: TEXTS,
  tokenizer: TEXTS,
  path: FORMAT,
  load: FILES,
  serving: SERVED,
  user: SERVED,
  caps: SERVED,
  escalation: SERVED,
  privileged: SERVED,
  host: SERVED,
  port: SERVED,
  seccomp: SERVED,
  rootfs: SERVED,
  token: SERVED,
  resources: SERVED,
  secret: SERVED,
  sidecar: SERVED,
  provenance: SERVED,
  egress: SERVED,
  source: of('LLM03', 'GOVERN 6.1, MANAGE 3.1', 'AML.T0010.003, AML.T0058'),
  mbom: of('LLM03', 'GOVERN 1.6, GOVERN 6.1, MAP 4.1', 'AML.T0010.003, AML.M0013, AML.M0023'),
  model: of(
    'LLM03',
    'GOVERN 6.1, MAP 4.1, MANAGE 3.2',
    'AML.T0010.003, AML.T0058, AML.T0074, AML.M0013, AML.M0014',
  ),
  scan: WEIGHTS,
  image: IMAGE,
  vulnerabilities: IMAGE,
  sbom: IMAGE,
  build: of('LLM03', 'MAP 4.2', 'AML.T0010.001, AML.M0013'),
  layout: SERVED,
  performance: TESTED,
  tests: TESTED,
  canary: of('LLM04', 'MEASURE 2.3, MEASURE 2.7', 'AML.T0018.000'),
  approvals: of('', 'MANAGE 1.1, GOVERN 2.1', 'AML.M0019'),
  recalls: of('LLM03, LLM04', 'GOVERN 4.3, MANAGE 2.3, MANAGE 2.4, MANAGE 4.1, MANAGE 4.3', ''),
};

/** null: the family or kind answers to none of them. */
export function frameworksOf(id: string): Frameworks | null {
  const part = id.split('/', 1)[0]!;
  return Object.hasOwn(PARTS, part) ? PARTS[part]! : null;
}

/** One line for each framework that says something. */
export const frameworkLines = ({ owasp, nist, atlas }: Frameworks): string[] =>
  [
    ['OWASP LLM Top 10 (2025)', owasp],
    ['NIST AI RMF 1.0', nist],
    ['MITRE ATLAS 5.6.0', atlas],
  ].flatMap(([name, list]) =>
    list!.length === 0 ? [] : [`${name}: ${(list as readonly string[]).join(', ')}`],
  );
