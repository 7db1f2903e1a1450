// The table of formats: loaded when one is asked for, because it knows every kind of verdict.

import type { ReportFormat } from '../../document/text/report-format.ts';
import { neutral, type VerdictDocument } from '../neutral/documents.ts';
import type { NeutralReport } from '../neutral/neutral.ts';
import { renderAnnotations } from './annotations.ts';
import { renderCodeQuality, renderSast } from './gitlab.ts';
import { renderJunit } from './junit.ts';
import type { FormatOptions } from './location.ts';
import { renderMarkdown } from './markdown.ts';
import { renderSarif } from './sarif.ts';

const FORMATS: Readonly<Record<ReportFormat, (report: NeutralReport, options: FormatOptions) => string>> = {
  sarif: renderSarif,
  junit: renderJunit,
  markdown: renderMarkdown,
  annotations: renderAnnotations,
  'gitlab-code-quality': renderCodeQuality,
  'gitlab-sast': renderSast,
};

export const written = (document: VerdictDocument, format: ReportFormat, options: FormatOptions): string =>
  FORMATS[format](neutral(document), options);
