// Ctrl-C and SIGTERM: the first stops the scan in good order, the second exits at once.

interface Interruption {
  readonly signal: AbortSignal;
  /** 128 + the signal's number once one has come, as shells expect it. */
  readonly code: number | undefined;
  /** Gives the signals back to whoever had them. */
  end(): void;
}

export function interruption(): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  const stop = (name: NodeJS.Signals): void => {
    if (code !== undefined) process.exit(code);
    code = CODES[name as keyof typeof CODES];
    controller.abort();
  };
  for (const name of NAMES) process.on(name, stop);
  return {
    signal: controller.signal,
    get code() {
      return code;
    },
    end: () => {
      for (const name of NAMES) process.removeListener(name, stop);
    },
  };
}

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const NAMES = ['SIGINT', 'SIGTERM'] as const;
