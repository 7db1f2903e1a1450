// Names of formats, for options of commands that load no renderer before one is asked for.

export const REPORT_FORMATS = [
  'sarif',
  'junit',
  'markdown',
  'annotations',
  'gitlab-code-quality',
  'gitlab-sast',
] as const;

export type ReportFormat = (typeof REPORT_FORMATS)[number];
