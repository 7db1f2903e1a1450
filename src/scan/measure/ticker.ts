// Progress, about ten times a second, and once more at the end.
import type { MeasureOptions, Progress } from './options.ts';

const INTERVAL = 100; // ms

/** Reports what `progress` says until the function that it returns is called, and then a last time. */
export function ticking(onProgress: MeasureOptions['onProgress'], progress: () => Progress): () => void {
  const tell = (): void => onProgress?.(progress());
  const timer = setInterval(tell, INTERVAL);
  return () => {
    clearInterval(timer);
    tell();
  };
}
