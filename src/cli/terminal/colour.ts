// Whether a stream gets colour: the environment's wish first, then whether anybody looks.

/** FORCE_COLOR beats NO_COLOR, as in Node itself; an empty variable says nothing (no-color.org). */
export function wantsColour(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  if (env.NO_COLOR) return false;
  return stream.isTTY === true && env.TERM !== 'dumb';
}
