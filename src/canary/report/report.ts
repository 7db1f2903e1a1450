// What a comparison is written as. The door of this room.
import { jsonText } from '../../document/json/chunks.ts';
import type { Canary } from '../compare/canary-schema.ts';
import { renderCanaryHtml } from './canary-html.ts';
import { renderCanaryText } from './canary-text.ts';

export { exitCodeOf } from './canary-text.ts';

export function rendered(canary: Canary, format: 'text' | 'json' | 'html'): string {
  if (format === 'json') return jsonText(canary);
  return format === 'html' ? renderCanaryHtml(canary) : renderCanaryText(canary);
}
