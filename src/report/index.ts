// `steelyard/schema`: the JSON Schemas of the documents, and reports as text, JSON and the formats of other tools.
export { REPORT_FORMATS, type ReportFormat } from '../document/text/report-format.ts';
export { renderReport } from './format/format.ts';
export type { FormatOptions } from './format/location.ts';
export type { VerdictDocument } from './neutral/documents.ts';
export { renderJson } from './report-json.ts';
export { DOCUMENTS, type DocumentName, jsonSchema } from './schemas.ts';
export { renderText, type TextOptions } from './text/text.ts';
