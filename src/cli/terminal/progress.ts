// How far the scan is, on stderr: a bar at a terminal, a line every ten seconds elsewhere. Numbers only: names are foreign.

import { bytes, counted, duration } from '../../document/text/quantity.ts';
import type { Progress } from '../../scan/measure/options.ts';

interface ProgressDisplay {
  /** Takes news; drawing happens on a clock of its own, so that frequent news cost nothing. */
  update(progress: Progress): void;
  /** Clears the bar. */
  end(): void;
}

/** What the bar needs of process.stderr. */
interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** `wanted`: --progress, --no-progress, or undefined: only where somebody looks. Bars in CI logs fill them for nobody. */
export function progressDisplay(stream: Terminal, wanted: boolean | undefined): ProgressDisplay {
  if (wanted === false || (wanted === undefined && !stream.isTTY)) return { update: nothing, end: nothing };
  const bar = stream.isTTY === true;
  const width = (): number => (stream.columns || 80) - 1; // 0: a terminal that does not know
  const started = performance.now();
  let latest: Progress | undefined;
  let drawn = false;
  const timer = setInterval(
    () => {
      if (latest === undefined) return;
      const text = line(latest, (performance.now() - started) / 1000);
      if (bar) stream.write(`\r${`${gauge(latest)} ${text}`.slice(0, width())}\x1b[K`);
      else stream.write(`steelyard: ${text}\n`);
      drawn = true;
    },
    bar ? BAR_INTERVAL : LINE_INTERVAL,
  );
  timer.unref(); // a scan that ends must not wait for its progress
  return {
    update: (progress) => {
      latest = progress;
    },
    end: () => {
      clearInterval(timer);
      if (bar && drawn) stream.write('\r\x1b[K');
    },
  };
}

const BAR_INTERVAL = 100;
const LINE_INTERVAL = 10_000;
const GAUGE = 20;
const nothing = (): void => undefined;

function line({ filesDone, filesTotal, bytesDone, bytesTotal }: Progress, seconds: number): string {
  const rate = seconds > 0 ? bytesDone / seconds : 0;
  const parts = [
    `${filesDone}/${counted(filesTotal, 'file')}`,
    `${bytes(bytesDone)} of ${bytes(bytesTotal)}`,
  ];
  if (rate > 0)
    parts.push(`${bytes(Math.round(rate))}/s`, `${duration((bytesTotal - bytesDone) / rate)} left`);
  return parts.join(', ');
}

function gauge({ bytesDone, bytesTotal }: Progress): string {
  const full = bytesTotal > 0 ? Math.min(GAUGE, Math.floor((bytesDone / bytesTotal) * GAUGE)) : 0;
  return `[${'#'.repeat(full)}${' '.repeat(GAUGE - full)}]`;
}
