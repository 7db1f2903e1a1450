// What a look can find, and what each state means. One table, because exit codes, guards, metrics and alerts decide on it.

interface Kind {
  /** drifted: a definite no; inconclusive: no verdict, and never a reason to act; fine: nothing to say. */
  readonly means: 'fine' | 'drifted' | 'inconclusive';
  /** Headers pass through proxies that may be half configured: a state that rests on them alone is looked at again. */
  readonly confirm: boolean;
  /** Reason of a pod condition: CamelCase, as Kubernetes wants it. */
  readonly reason: string;
}

/** The gravest first. */
const KINDS = {
  'behaviour-mismatch': { means: 'drifted', confirm: false, reason: 'BehaviourMismatch' },
  'adapter-mismatch': { means: 'drifted', confirm: false, reason: 'AdapterMismatch' },
  'image-mismatch': { means: 'drifted', confirm: false, reason: 'ImageMismatch' },
  'unknown-sha': { means: 'drifted', confirm: true, reason: 'UnknownModelSha' },
  'bom-mismatch': { means: 'drifted', confirm: true, reason: 'BomMismatch' },
  'missing-header': { means: 'drifted', confirm: true, reason: 'MissingHeader' },
  unreachable: { means: 'inconclusive', confirm: false, reason: 'Unreachable' },
  timeout: { means: 'inconclusive', confirm: false, reason: 'Timeout' },
  inconclusive: { means: 'inconclusive', confirm: false, reason: 'Inconclusive' },
  ok: { means: 'fine', confirm: false, reason: 'ProvenanceHolds' },
} as const satisfies Record<string, Kind>;

export type State = keyof typeof KINDS;
export const STATES = Object.keys(KINDS) as readonly State[];

export const meaningOf = (state: State): Kind['means'] => KINDS[state].means;
export const needsConfirmation = (state: State): boolean => KINDS[state].confirm;
export const reasonOf = (state: State): string => KINDS[state].reason;
/** Reasons that mean: Steelyard took it out. */
export const PULLED_REASONS: ReadonlySet<string> = new Set(
  STATES.filter((state) => meaningOf(state) === 'drifted').map(reasonOf),
);

/** The gravest of them; ok if there is none. */
export const worst = (states: readonly State[]): State =>
  STATES.find((state) => states.includes(state)) ?? 'ok';
